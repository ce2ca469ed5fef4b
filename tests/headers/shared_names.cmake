# cmake -DNM=<nm> -DLEFT=<object> -DRIGHT=<object> -P shared_names.cmake
# Two units for two instruction sets define no function of the library under one name. Where both do, the linker keeps either: the
# unit for the smaller processor may then run the other's instructions.
cmake_minimum_required(VERSION 3.23)

function(defined object names)
  execute_process(COMMAND ${NM} --defined-only ${object} OUTPUT_VARIABLE output COMMAND_ERROR_IS_FATAL ANY)
  string(REGEX MATCHALL "[TVWu] [^\n]*8longspan[^\n]*" lines "${output}")
  if(NOT lines)
    message(FATAL_ERROR "${object} holds nothing of the library")
  endif()
  list(TRANSFORM lines REPLACE "^. " "")
  set(${names} ${lines} PARENT_SCOPE)
endfunction()

defined(${LEFT} left)
defined(${RIGHT} right)
foreach(name IN LISTS left)
  set(left_has_${name} ON)
endforeach()
set(shared)
foreach(name IN LISTS right)
  if(left_has_${name})
    string(APPEND shared "  ${name}\n")
  endif()
endforeach()
if(shared)
  message(FATAL_ERROR "Defined for both instruction sets (c++filt reads the names):\n${shared}")
endif()
