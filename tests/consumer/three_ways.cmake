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
