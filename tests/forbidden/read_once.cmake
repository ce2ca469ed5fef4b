# What the sentences of forbidden/ and names/ include, read once by each compiler: most of what a sentence costs.
# longspan_read_once(<variable> <compiler>): the header for refuses.cmake's READ_ONCE; compilers look for the .gch beside it.
function(longspan_read_once header compiler)
  cmake_path(GET compiler FILENAME name)
  set(once ${PROJECT_BINARY_DIR}/read_once/${name}/longspan.hpp)
  set(${header} ${once} PARENT_SCOPE)
  if(TARGET longspan_read_once_${name})
    return()
  endif()
  # One of the programs defines EIGEN_USE_THREADS itself, before what it includes.
  file(CONFIGURE OUTPUT ${once} CONTENT "#pragma once\n#define EIGEN_USE_THREADS\n#include <longspan/longspan.hpp>\n")
  set(includes "$<TARGET_PROPERTY:longspan,INTERFACE_INCLUDE_DIRECTORIES>")
  add_custom_command(OUTPUT ${once}.gch
                     COMMAND ${compiler} -std=c++20 -w "-I$<JOIN:${includes},;-I>" -MD -MT ${once}.gch -MF ${once}.d
                             -x c++-header ${once} -o ${once}.gch
                     DEPFILE ${once}.d
                     DEPENDS ${once}
                     COMMENT "Reading the library once with ${name}"
                     COMMAND_EXPAND_LISTS VERBATIM)
  add_custom_target(longspan_read_once_${name} ALL DEPENDS ${once}.gch)
endfunction()
