/* A small table for tests: numbers, text, a class whose name is quoted. */
#ifndef SUPPORT_PEOPLE_H
#define SUPPORT_PEOPLE_H

#define PEOPLE             \
  "age,job,pay,city\n"     \
  "30,clerk,1.5,Bonn\n"    \
  "50,smith,2.5,Köln\n"   \
  "40,clerk,3.5,Bonn\n"    \
  "20,baker,4.5,\"A,b\"\n" \
  "60,smith,1.0,Köln\n"

#endif
