# Debian packages of the installed components, by `cpack -G DEB`: mlp-cl, libmlp-cl1, libmlp-cl-dev. Configure with
# -DCMAKE_INSTALL_PREFIX=/usr, so that libraries go where Debian looks for them; ci/package.sh does.
set(library_package libmlp-cl${PROJECT_VERSION_MAJOR})

set(CPACK_GENERATOR DEB)
set(CPACK_PACKAGE_CONTACT "mlp_cl <mlp_cl@localhost>" CACHE STRING "who answers for the Debian packages")
set(CPACK_PACKAGING_INSTALL_PREFIX /usr)
set(CPACK_STRIP_FILES ON)
set(CPACK_COMPONENTS_ALL command library development)
set(CPACK_DEB_COMPONENT_INSTALL ON)
set(CPACK_DEBIAN_FILE_NAME DEB-DEFAULT)
set(CPACK_DEBIAN_PACKAGE_SHLIBDEPS ON)
set(CPACK_DEBIAN_PACKAGE_GENERATE_SHLIBS ON)

set(CPACK_DEBIAN_COMMAND_PACKAGE_NAME mlp-cl)
set(CPACK_DEBIAN_COMMAND_PACKAGE_SECTION science)
set(CPACK_DEBIAN_COMMAND_PACKAGE_RECOMMENDS "pocl-opencl-icd | opencl-icd")
set(CPACK_COMPONENT_COMMAND_DESCRIPTION "The command mlp_cl trains, measures and runs networks. It needs an OpenCL driver for
the device it is to use, or none with --device reference.")

set(CPACK_DEBIAN_LIBRARY_PACKAGE_NAME ${library_package})
set(CPACK_DEBIAN_LIBRARY_PACKAGE_SECTION libs)
set(CPACK_DEBIAN_LIBRARY_PACKAGE_RECOMMENDS "pocl-opencl-icd | opencl-icd")
set(CPACK_COMPONENT_LIBRARY_DESCRIPTION "What programs that use the library need to run.")

set(CPACK_DEBIAN_DEVELOPMENT_PACKAGE_NAME libmlp-cl-dev)
set(CPACK_DEBIAN_DEVELOPMENT_PACKAGE_SECTION libdevel)
set(CPACK_DEBIAN_DEVELOPMENT_PACKAGE_DEPENDS "${library_package} (= ${PROJECT_VERSION})")
set(CPACK_DEBIAN_DEVELOPMENT_PACKAGE_SUGGESTS
  "ocl-icd-opencl-dev, zlib1g-dev, libjansson-dev, libsodium-dev, libprotobuf-c-dev, libzip-dev") # to link the static library
set(CPACK_COMPONENT_DEVELOPMENT_DESCRIPTION "The header, the static library, and what pkg-config and CMake need to find them.")
include(CPack)
