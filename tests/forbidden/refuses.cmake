# cmake -DCOMPILER=<path> -DINCLUDES=<folders> -DSOURCE=<file> [-DREAD_ONCE=<precompiled header>] -P refuses.cmake
# The first lines of the file say what it expects of a compiler:
#   // expects: words    the file does not compile, and each such line's words are in the compiler's output
#   // first error: words  the same, and the words are in the first line that tells of an error
#   // compiles          the control: the file compiles, so that the others are refused for their own fault
# and may say for which instruction sets, one a line; otherwise it is the compiler's own choice:
#   // for: -march=x86-64-v4
cmake_minimum_required(VERSION 3.23)

file(STRINGS "${SOURCE}" expectations REGEX "^// (expects: .|first error: .|compiles)" ENCODING UTF-8)
if(NOT expectations)
  message(FATAL_ERROR "${SOURCE} says none of '// expects: words', '// first error: words' and '// compiles'")
endif()

list(TRANSFORM INCLUDES PREPEND -I OUTPUT_VARIABLE includes)
file(STRINGS "${SOURCE}" instruction_sets REGEX "^// for: " ENCODING UTF-8)
list(TRANSFORM instruction_sets REPLACE "^// for: " "")
if(NOT instruction_sets)
  set(instruction_sets none)
  if(READ_ONCE)  # for the compiler's own choice alone
    list(APPEND includes -include ${READ_ONCE})
  endif()
endif()
foreach(flag IN LISTS instruction_sets)
  string(REGEX REPLACE "^none$" "" flag "${flag}")
  execute_process(COMMAND ${CMAKE_COMMAND} -E env LC_ALL=C ${COMPILER} -std=c++20 -fsyntax-only ${flag} ${includes} ${SOURCE}
                  RESULT_VARIABLE failed OUTPUT_VARIABLE output ERROR_VARIABLE output)
  string(REGEX MATCH "[^\n]*error: [^\n]*" first_error "${output}")

  foreach(line IN LISTS expectations)
    if(line STREQUAL "// compiles")
      if(failed)
        message(FATAL_ERROR "${SOURCE} must compile:\n${output}")
      endif()
    else()
      set(among "${output}")
      if(line MATCHES "^// first error: ")
        set(among "${first_error}")
      endif()
      string(REGEX REPLACE "^// (expects|first error): " "" words "${line}")
      string(STRIP "${words}" words)
      if(NOT failed)
        message(FATAL_ERROR "${SOURCE} compiles; it must be refused with the words '${words}'")
      endif()
      string(FIND "${among}" "${words}" found)
      if(found EQUAL -1)
        message(FATAL_ERROR "${SOURCE} is refused, but not with the words '${words}':\n${output}")
      endif()
    endif()
  endforeach()
endforeach()
