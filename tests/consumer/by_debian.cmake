# cmake -DROOT=<source folder> -DVERSION=<of the project> -DCOMPILER=<g++> -DWORK_DIR=<scratch folder> [-DLINTIAN=<program>] -P by_debian.cmake
# The source package is built, Debian's critic has nothing to say of what comes out, and a project finds what it holds, unpacked.
cmake_minimum_required(VERSION 3.23)
file(REMOVE_RECURSE ${WORK_DIR})
set(OUTPUT ${WORK_DIR})
include(${ROOT}/.cmake/debian_source.cmake)
execute_process(COMMAND dpkg-buildpackage --no-sign WORKING_DIRECTORY ${source} OUTPUT_FILE ${WORK_DIR}/log ERROR_FILE ${WORK_DIR}/log
                RESULT_VARIABLE failed)
if(failed)
  file(READ ${WORK_DIR}/log log)
  message(FATAL_ERROR "dpkg-buildpackage:\n${log}")
endif()
if(LINTIAN)
  file(GLOB changes ${WORK_DIR}/*.changes)
  # Whoever uploads it names himself and the bug that asks for it.
  execute_process(COMMAND ${LINTIAN} --allow-root --fail-on error,warning
                          --suppress-tags bogus-mail-host,root-in-contact,initial-upload-closes-no-bugs ${changes}
                  COMMAND_ERROR_IS_FATAL ANY)
endif()

set(package ${WORK_DIR}/liblongspan-dev_${VERSION}_all.deb)
execute_process(COMMAND dpkg-deb --field ${package} Depends OUTPUT_VARIABLE depends COMMAND_ERROR_IS_FATAL ANY)
if(NOT depends MATCHES "libeigen3-dev \\(>= 3.4\\), libxsimd-dev \\(>= 8.1\\)")
  message(FATAL_ERROR "liblongspan-dev depends on ${depends}")
endif()
execute_process(COMMAND dpkg-deb --extract ${package} ${WORK_DIR}/unpacked COMMAND_ERROR_IS_FATAL ANY)
execute_process(COMMAND ${CMAKE_COMMAND} -S ${CMAKE_CURRENT_LIST_DIR} -B ${WORK_DIR}/consumer -DWAY=package
                        -Dlongspan_ROOT=${WORK_DIR}/unpacked/usr -DCMAKE_CXX_COMPILER=${COMPILER} COMMAND_ERROR_IS_FATAL ANY)
execute_process(COMMAND ${CMAKE_COMMAND} --build ${WORK_DIR}/consumer COMMAND_ERROR_IS_FATAL ANY)
execute_process(COMMAND ${WORK_DIR}/consumer/consumer COMMAND_ERROR_IS_FATAL ANY)
