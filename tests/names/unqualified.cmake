# cmake -DCOMPILER=<path> -DINCLUDES=<folders> -DPROGRAM=<file> -DUNQUALIFIED=<file to write> -P unqualified.cmake
# A program compiles without its longspan::, behind `using namespace std; using namespace longspan;`.
cmake_minimum_required(VERSION 3.23)

file(READ "${PROGRAM}" text)
string(FIND "${text}" "#include" last REVERSE)
string(SUBSTRING "${text}" 0 ${last} includes)
string(SUBSTRING "${text}" ${last} -1 code)
string(REGEX MATCH "^[^\n]*\n" include "${code}")
string(LENGTH "${include}" length)
string(SUBSTRING "${code}" ${length} -1 code)

# std::transform is another one, and using-declarations say what the directives do.
string(REPLACE "longspan::transform" "longspan:transform" code "${code}")
string(REPLACE "longspan::" "" code "${code}")
string(REPLACE "longspan:transform" "longspan::transform" code "${code}")
string(REGEX REPLACE "using [a-z_, ]+;" "" code "${code}")
file(WRITE "${UNQUALIFIED}" "// compiles\n${includes}${include}using namespace std;\nusing namespace longspan;\n${code}")

set(SOURCE ${UNQUALIFIED})
include(${CMAKE_CURRENT_LIST_DIR}/../forbidden/refuses.cmake)
