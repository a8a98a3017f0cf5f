# What `cmake --install` puts where. Components: command, library (what programs need to run), development (what they need to
# be built); debian.cmake makes packages of them.
include(GNUInstallDirs)
include(CMakePackageConfigHelpers)

install(TARGETS mlp_cl COMPONENT command)
install(TARGETS mlp_cl_shared EXPORT shared
  LIBRARY DESTINATION ${CMAKE_INSTALL_LIBDIR} COMPONENT library NAMELINK_COMPONENT development)
install(TARGETS mlp_cl_static EXPORT static ARCHIVE DESTINATION ${CMAKE_INSTALL_LIBDIR} COMPONENT development)
install(FILES host/include/mlp_cl.h DESTINATION ${CMAKE_INSTALL_INCLUDEDIR} COMPONENT development)

# Both find their folder by their own place, so that an installed tree may be moved.
set(package_dir ${CMAKE_INSTALL_LIBDIR}/cmake/mlp_cl)
configure_package_config_file(cmake/mlp_clConfig.cmake.in ${PROJECT_BINARY_DIR}/mlp_clConfig.cmake
  INSTALL_DESTINATION ${package_dir})
write_basic_package_version_file(${PROJECT_BINARY_DIR}/mlp_clConfigVersion.cmake COMPATIBILITY SameMajorVersion)
install(FILES ${PROJECT_BINARY_DIR}/mlp_clConfig.cmake ${PROJECT_BINARY_DIR}/mlp_clConfigVersion.cmake
  DESTINATION ${package_dir} COMPONENT development)
foreach(kind shared static)
  install(EXPORT ${kind} FILE mlp_cl_${kind}.cmake NAMESPACE mlp_cl:: DESTINATION ${package_dir} COMPONENT development)
endforeach()

file(RELATIVE_PATH pc_prefix /prefix/${CMAKE_INSTALL_LIBDIR}/pkgconfig /prefix)
configure_file(cmake/mlp_cl.pc.in ${PROJECT_BINARY_DIR}/mlp_cl.pc @ONLY)
install(FILES ${PROJECT_BINARY_DIR}/mlp_cl.pc DESTINATION ${CMAKE_INSTALL_LIBDIR}/pkgconfig COMPONENT development)

# The manual pages are written by the command itself, so they cannot be made while compiling for another machine.
if(NOT CMAKE_CROSSCOMPILING)
  set(manual ${PROJECT_BINARY_DIR}/manual)
  set(manual_parts ${PROJECT_SOURCE_DIR}/share/manual.sh ${PROJECT_SOURCE_DIR}/share/mlp_cl.1.in)
  add_custom_command(OUTPUT ${manual}/mlp_cl.1 COMMAND sh ${manual_parts} $<TARGET_FILE:mlp_cl> ${manual}
    DEPENDS mlp_cl ${manual_parts} VERBATIM)
  add_custom_target(manual ALL DEPENDS ${manual}/mlp_cl.1)
  install(DIRECTORY ${manual}/ DESTINATION ${CMAKE_INSTALL_MANDIR}/man1 COMPONENT command)
endif()

# Debian's zsh looks for what packages bring in a folder of its own.
set(zsh_dir zsh/site-functions)
if(CMAKE_INSTALL_PREFIX STREQUAL "/usr")
  set(zsh_dir zsh/vendor-completions)
endif()
set(completion share/completion)
install(FILES ${completion}/mlp_cl.bash DESTINATION ${CMAKE_INSTALL_DATADIR}/bash-completion/completions RENAME mlp_cl
  COMPONENT command)
install(FILES ${completion}/_mlp_cl DESTINATION ${CMAKE_INSTALL_DATADIR}/${zsh_dir} COMPONENT command)
install(FILES ${completion}/mlp_cl.fish DESTINATION ${CMAKE_INSTALL_DATADIR}/fish/vendor_completions.d COMPONENT command)

install(FILES README.md CHANGELOG.md LICENSE DESTINATION ${CMAKE_INSTALL_DOCDIR} COMPONENT command)
file(GLOB documents CONFIGURE_DEPENDS docs/*.md)
install(FILES ${documents} DESTINATION ${CMAKE_INSTALL_DOCDIR}/docs COMPONENT command)
install(DIRECTORY examples DESTINATION ${CMAKE_INSTALL_DOCDIR} COMPONENT development)

include(cmake/debian.cmake)

# `cmake --build build --target html`: the header as HTML, where Doxygen is installed.
find_package(Doxygen QUIET)
if(DOXYGEN_FOUND)
  set(DOXYGEN_INPUT_FILTER "awk -f ${PROJECT_SOURCE_DIR}/share/doxygen.awk")
  set(DOXYGEN_OPTIMIZE_OUTPUT_FOR_C YES)
  set(DOXYGEN_JAVADOC_AUTOBRIEF YES)
  set(DOXYGEN_EXTRACT_ALL YES)
  set(DOXYGEN_MACRO_EXPANSION YES)
  set(DOXYGEN_EXPAND_ONLY_PREDEF YES)
  set(DOXYGEN_PREDEFINED MLP_CL_API=)
  set(DOXYGEN_SORT_MEMBER_DOCS NO)
  set(DOXYGEN_HAVE_DOT NO)
  set(DOXYGEN_QUIET YES)
  set(DOXYGEN_WARN_AS_ERROR YES)
  doxygen_add_docs(html ${PROJECT_SOURCE_DIR}/host/include/mlp_cl.h)
endif()
