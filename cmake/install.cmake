# What `cmake --install` puts where, for pkg-config, CMake and the manual's readers; and the Debian packages made of it:
# `cpack -G DEB`. Components: command, library (what programs need to run), development (what they need to be built).
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
