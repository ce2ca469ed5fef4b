# The project in this folder, configured, built and run as a user's would be: with longspan installed, as a subdirectory, fetched.
set(longspan_consumers subdirectory fetch_content)
set(longspan_stage ${CMAKE_CURRENT_BINARY_DIR}/consumer/stage)
if(LONGSPAN_INSTALL)
  list(APPEND longspan_consumers package)
  add_test(NAME consumer.install COMMAND ${CMAKE_COMMAND} --install ${PROJECT_BINARY_DIR} --prefix ${longspan_stage})
  set_tests_properties(consumer.install PROPERTIES FIXTURES_SETUP longspan_stage)
endif()
foreach(way IN LISTS longspan_consumers)
  add_test(NAME consumer.${way}
           COMMAND ${CMAKE_CTEST_COMMAND}
                   --build-and-test ${CMAKE_CURRENT_LIST_DIR} ${CMAKE_CURRENT_BINARY_DIR}/consumer/${way}
                   --build-generator ${CMAKE_GENERATOR} --build-makeprogram ${CMAKE_MAKE_PROGRAM}
                   --build-options -DWAY=${way} -DLONGSPAN_SOURCE=${PROJECT_SOURCE_DIR} -Dlongspan_ROOT=${longspan_stage}
                                   -DCMAKE_CXX_COMPILER=${CMAKE_CXX_COMPILER} "-DCMAKE_PREFIX_PATH=${CMAKE_PREFIX_PATH}"
                   --test-command consumer)
  set_tests_properties(consumer.${way} PROPERTIES TIMEOUT 300)
endforeach()
if(LONGSPAN_INSTALL)
  set_tests_properties(consumer.package PROPERTIES FIXTURES_REQUIRED longspan_stage)
endif()

# The same by pkg-config, without CMake; the install that is made twice; and packages.
if(LONGSPAN_INSTALL)
  add_test(NAME consumer.installs_the_same_twice
           COMMAND ${CMAKE_COMMAND} -DBUILD_DIR=${PROJECT_BINARY_DIR} -DWORK_DIR=${CMAKE_CURRENT_BINARY_DIR}/consumer/twice
                   -P ${CMAKE_CURRENT_LIST_DIR}/installs_the_same.cmake)
  find_program(LONGSPAN_PKG_CONFIG NAMES pkg-config pkgconf)
  if(LONGSPAN_PKG_CONFIG)
    add_test(NAME consumer.pkg_config
             COMMAND ${CMAKE_COMMAND} -DPKG_CONFIG=${LONGSPAN_PKG_CONFIG} -DCOMPILER=${CMAKE_CXX_COMPILER} -DSTAGE=${longspan_stage}
                     -DSOURCE=${CMAKE_CURRENT_LIST_DIR}/main.cpp -DPROGRAM=${CMAKE_CURRENT_BINARY_DIR}/consumer/by_pkg_config
                     -P ${CMAKE_CURRENT_LIST_DIR}/by_pkg_config.cmake)
    set_tests_properties(consumer.pkg_config PROPERTIES FIXTURES_REQUIRED longspan_stage TIMEOUT 300)
  endif()
endif()
add_test(NAME consumer.single_header
         COMMAND ${CMAKE_COMMAND} -DCOMPILER=${CMAKE_CXX_COMPILER} "-DINCLUDES=$<TARGET_PROPERTY:longspan,INTERFACE_INCLUDE_DIRECTORIES>"
                 -DROOT=${PROJECT_SOURCE_DIR} -DWORK_DIR=${CMAKE_CURRENT_BINARY_DIR}/consumer/single
                 -P ${CMAKE_CURRENT_LIST_DIR}/single_header.cmake)
add_test(NAME consumer.recipes
         COMMAND ${CMAKE_COMMAND} -DROOT=${PROJECT_SOURCE_DIR} -DVERSION=${PROJECT_VERSION} -P ${CMAKE_CURRENT_LIST_DIR}/recipes.cmake)
add_test(NAME consumer.presets
         COMMAND ${CMAKE_COMMAND} -DROOT=${PROJECT_SOURCE_DIR} -DWORK_DIR=${CMAKE_CURRENT_BINARY_DIR}/consumer/presets
                 -P ${CMAKE_CURRENT_LIST_DIR}/presets.cmake)
find_program(LONGSPAN_CONAN conan)
if(LONGSPAN_CONAN)
  add_test(NAME consumer.conan
           COMMAND ${CMAKE_COMMAND} -DCONAN=${LONGSPAN_CONAN} -DCOMPILER=${CMAKE_CXX_COMPILER} -DROOT=${PROJECT_SOURCE_DIR}
                   -DWORK_DIR=${CMAKE_CURRENT_BINARY_DIR}/consumer/conan -P ${CMAKE_CURRENT_LIST_DIR}/by_conan.cmake)
  set_tests_properties(consumer.conan PROPERTIES TIMEOUT 300)
endif()
# vcpkg's, where VCPKG_ROOT in the environment names its folder.
find_program(LONGSPAN_NINJA ninja)
if(EXISTS "$ENV{VCPKG_ROOT}/scripts/ports.cmake" AND LONGSPAN_NINJA AND LONGSPAN_PKG_CONFIG)
  add_test(NAME consumer.vcpkg
           COMMAND ${CMAKE_COMMAND} -DVCPKG=$ENV{VCPKG_ROOT} -DNINJA=${LONGSPAN_NINJA} -DPKG_CONFIG=${LONGSPAN_PKG_CONFIG}
                   -DROOT=${PROJECT_SOURCE_DIR} -DVERSION=${PROJECT_VERSION} -DWORK_DIR=${CMAKE_CURRENT_BINARY_DIR}/consumer/vcpkg
                   -P ${CMAKE_CURRENT_LIST_DIR}/by_vcpkg.cmake)
  set_tests_properties(consumer.vcpkg PROPERTIES TIMEOUT 300)
endif()
# Debian's source package, where its tools are.
find_program(LONGSPAN_DPKG_BUILDPACKAGE dpkg-buildpackage)
find_program(LONGSPAN_DEBHELPER dh)
find_program(LONGSPAN_LINTIAN lintian)
if(LONGSPAN_DPKG_BUILDPACKAGE AND LONGSPAN_DEBHELPER)
  add_test(NAME long.consumer.debian
           COMMAND ${CMAKE_COMMAND} -DROOT=${PROJECT_SOURCE_DIR} -DVERSION=${PROJECT_VERSION} -DCOMPILER=${CMAKE_CXX_COMPILER}
                   $<$<BOOL:${LONGSPAN_LINTIAN}>:-DLINTIAN=${LONGSPAN_LINTIAN}>
                   -DWORK_DIR=${CMAKE_CURRENT_BINARY_DIR}/consumer/debian -P ${CMAKE_CURRENT_LIST_DIR}/by_debian.cmake)
  set_tests_properties(long.consumer.debian PROPERTIES TIMEOUT 600 LABELS long)
endif()
