# cmake -DCOMPILER=<g++> -DINCLUDES=<folders> -DROOT=<source folder> -DWORK_DIR=<scratch folder> -P single_header.cmake
# The single header is, behind the preprocessor and apart from white space, the library: whatever a program does with it, it does with either.
cmake_minimum_required(VERSION 3.23)
execute_process(COMMAND ${CMAKE_COMMAND} -DINCLUDE_DIR=${ROOT}/include -DOUTPUT=${WORK_DIR}/longspan/longspan.hpp
                        -P ${ROOT}/.cmake/single_header.cmake COMMAND_ERROR_IS_FATAL ANY)
file(READ ${WORK_DIR}/longspan/longspan.hpp text)
if(text MATCHES "#include <longspan/")
  message(FATAL_ERROR "The single header includes another")
endif()
file(WRITE ${WORK_DIR}/unit.cpp "#include <longspan/longspan.hpp>\n")
set(others)
foreach(folder IN LISTS INCLUDES)
  if(NOT folder STREQUAL ROOT AND NOT folder STREQUAL "${ROOT}/include" AND NOT folder STREQUAL "/usr/include")
    list(APPEND others -isystem ${folder})
  endif()
endforeach()
foreach(folder IN ITEMS ${ROOT}/include ${WORK_DIR})
  # Without assertions, which tell their file and line.
  execute_process(COMMAND ${COMPILER} -std=c++20 -DNDEBUG -E -P -I${folder} ${others} ${WORK_DIR}/unit.cpp OUTPUT_VARIABLE text
                  COMMAND_ERROR_IS_FATAL ANY)
  string(REGEX REPLACE "[ \t\n]+" " " text "${text}")
  string(SHA256 hash "${text}")
  list(APPEND hashes ${hash})
endforeach()
list(REMOVE_DUPLICATES hashes)
list(LENGTH hashes count)
if(NOT count EQUAL 1)
  message(FATAL_ERROR "The single header differs from include/")
endif()
