# cmake -DCTAGS=<Universal Ctags> -DINCLUDE_DIR=<folder that holds longspan/> -P indexed.cmake
# An indexer that does not run the preprocessor finds definitions in every header that has some: the macros that open the namespace do not
# hide them.
cmake_minimum_required(VERSION 3.23)

# Macros and namespaces are not what one looks for.
execute_process(COMMAND ${CTAGS} -R -f - --languages=C++ --langmap=C++:.hpp --kinds-C++=-dn ${INCLUDE_DIR}/longspan
                OUTPUT_VARIABLE tags COMMAND_ERROR_IS_FATAL ANY)
file(GLOB_RECURSE headers RELATIVE ${INCLUDE_DIR} ${INCLUDE_DIR}/longspan/*.hpp)
set(silent)
foreach(header IN LISTS headers)
  file(READ ${INCLUDE_DIR}/${header} text)
  string(FIND "${tags}" "\t${INCLUDE_DIR}/${header}\t" found)
  # Version 5.9 does not know concepts: a header may hold nothing else. The config holds macros.
  if(found EQUAL -1 AND NOT header STREQUAL "longspan/core/config.hpp"
     AND text MATCHES "\n *(struct|class|enum|inline|constexpr|using|void|auto) ")
    string(APPEND silent "  ${header}\n")
  endif()
endforeach()
if(silent)
  message(FATAL_ERROR "${CTAGS} finds no definition in\n${silent}")
endif()
