# Doxygen's filter: mlp_cl.h reads as plain C, so its comments become Doxygen's, and its sections groups.
/^\/\* ---- / {
  sub(/^\/\* -+ /, ""); sub(/ -+ \*\/$/, "")
  print (groups++ ? "/** @} */\n" : "") "/** @name " $0 "\n * @{ */"
  next
}
NR == 1 { sub(/^\/\* /, "/** @file\n * "); print; next }
/[;,{] *\/\* / { sub(/\/\* /, "/**< "); print; next }
/^[^\/]*[A-Za-z0-9_] *\/\* / { sub(/\/\* /, "/**< "); print; next }
/^#ifdef __cplusplus/ && groups { print "/** @} */" }
{ sub(/^ *\/\* /, "&@@"); sub(/\/\* @@/, "/** "); print }
