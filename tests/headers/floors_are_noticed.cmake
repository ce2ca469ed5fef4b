# cmake -DWORK_DIR=<scratch folder> -P floors_are_noticed.cmake
# A small tree that keeps the floors passes floors.cmake; every break of them is refused, in words that name it.
cmake_minimum_required(VERSION 3.23)

# try(<words or nothing> <header> <line>...): the right tree with one header replaced.
function(try words header)
  file(REMOVE_RECURSE ${WORK_DIR})
  foreach(right IN ITEMS "core/index: " "version: " "simd/fma:core/index" "tensor/view:core/index" "tile/pack:simd/fma" "mask/causal:core/index"
                         "softmax/sink:simd/fma" "mechanism/part:mask/causal" "mechanism:mechanism/part" "kernel/pass:tile/pack"
                         "reference/attention:mechanism" "forward:tensor/eigen" "tensor/eigen:tensor/view" "longspan:forward")
    string(REGEX MATCH "^(.*):(.*)$" right "${right}")
    set(path ${CMAKE_MATCH_1})
    set(line)
    if(NOT CMAKE_MATCH_2 STREQUAL " ")
      set(line "#include <longspan/${CMAKE_MATCH_2}.hpp>\n")
    endif()
    cmake_path(GET path FILENAME name)
    file(WRITE ${WORK_DIR}/longspan/${path}.hpp
         "#pragma once\n${line}LONGSPAN_NAMESPACE_BEGIN\nstruct ${name} {};\nLONGSPAN_NAMESPACE_END\n")
  endforeach()
  if(header)
    # The namespace opens after the includes, unless the lines open it themselves.
    set(text)
    set(opened FALSE)
    foreach(line IN LISTS ARGN)
      if(NOT opened AND NOT line MATCHES "^ *#" AND NOT "${ARGN}" MATCHES "LONGSPAN_NAMESPACE")
        string(APPEND text "LONGSPAN_NAMESPACE_BEGIN\n")
        set(opened TRUE)
      endif()
      string(APPEND text "${line}\n")
    endforeach()
    if(opened)
      string(APPEND text "LONGSPAN_NAMESPACE_END\n")
    endif()
    file(WRITE ${WORK_DIR}/longspan/${header}.hpp "${text}")
  endif()

  execute_process(COMMAND ${CMAKE_COMMAND} -DINCLUDE_DIR=${WORK_DIR} -P ${CMAKE_CURRENT_LIST_DIR}/floors.cmake
                  RESULT_VARIABLE failed ERROR_VARIABLE output OUTPUT_VARIABLE output)
  # CMake wraps its messages.
  string(REGEX REPLACE "[ \n]+" " " output "${output}")
  if(words STREQUAL "" AND failed)
    message(FATAL_ERROR "A tree that keeps the floors is refused: ${output}")
  endif()
  if(NOT words STREQUAL "")
    string(FIND "${output}" "${words}" found)
    if(NOT failed OR found EQUAL -1)
      message(FATAL_ERROR "'${ARGN}' in ${header} is not refused with the words '${words}': ${output}")
    endif()
  endif()
endfunction()

try("" "")
try("" forward "#include <longspan/tensor/eigen.hpp>" "#include <longspan/kernel/pass.hpp>" "struct forward {}\;")
try("" reference/attention "#include <vector>" "#include <longspan/mechanism.hpp>" "// Eigen is <Eigen/Core>." "struct attention {}\;")
try("" core/index "#include <longspan/version.hpp>" "struct index {}\;")
try("" core/config "#define LONGSPAN_NAMESPACE_BEGIN namespace longspan {" "struct config {}\;")
try("" simd/fma "LONGSPAN_QUIET_BEGIN" "#include <vector>" "LONGSPAN_QUIET_END" "#if 1" "#define X \\" "  2" "#endif" "" "LONGSPAN_NAMESPACE_BEGIN"
    "struct fma {}\;" "LONGSPAN_NAMESPACE_END" "// The end.")
try("on floor 0 includes simd/fma.hpp on floor 1" core/index "#include <longspan/simd/fma.hpp>" "struct index {}\;")
try("on floor 2 includes tensor/eigen.hpp on floor 7" tensor/view "#include <longspan/tensor/eigen.hpp>" "struct view {}\;")
try("of another folder on its own floor 2" tile/pack "#include <longspan/tensor/view.hpp>" "struct pack {}\;")
try("of another folder on its own floor 3" mask/causal "#include <longspan/softmax/sink.hpp>" "struct causal {}\;")
try("of another folder on its own floor 5" kernel/pass "#include <longspan/reference/attention.hpp>" "struct pass {}\;")
try("stands without tile, softmax and kernel" reference/attention "  # include <longspan/tile/pack.hpp>" "struct attention {}\;")
try("stands without tile, softmax and kernel" reference/attention "#include <longspan/softmax/sink.hpp>" "struct attention {}\;")
try("of another folder on its own floor 5" reference/attention "#include <longspan/kernel/pass.hpp>" "struct attention {}\;")
try("includes Eigen" kernel/pass "#include <Eigen/Core>" "struct pass {}\;")
try("includes Eigen" forward "#include <unsupported/Eigen/CXX11/Tensor>" "struct forward {}\;")
try("which does not exist" kernel/pass "#include <longspan/tile/gone.hpp>" "struct pass {}\;")
try("in quotes" kernel/pass "#include \"../tile/pack.hpp\"" "struct pass {}\;")
try("stands on no floor" utility/misc "struct misc {}\;")
try("does not hold the name softcap" transform/softcap "// softcap is only spoken of." "struct soft_cap {}\;")
string(REPEAT "\n" 200 many)
try("has 204 lines" kernel/pass "struct pass {}\;" "${many}")

set(outside "does not open with LONGSPAN_NAMESPACE_BEGIN and close with LONGSPAN_NAMESPACE_END")
try("${outside}" kernel/pass "struct before {}\;" "LONGSPAN_NAMESPACE_BEGIN" "struct pass {}\;" "LONGSPAN_NAMESPACE_END")
try("${outside}" kernel/pass "LONGSPAN_NAMESPACE_BEGIN" "struct pass {}\;" "LONGSPAN_NAMESPACE_END" "int after\;")
try("${outside}" kernel/pass "namespace longspan { // LONGSPAN_NAMESPACE_BEGIN" "struct pass {}\;" "}")
string(REPEAT "    one()\\;\n\n" 18 some)  # half of them empty
try("" kernel/pass "struct pass {" "  void forward(int," "               int) {" "${some}  }" "  int a() {" "${some}  }" "}\;")
try("has a function of 42 lines, more than 40, at line 4" kernel/pass "LONGSPAN_NAMESPACE_BEGIN" "struct pass {" "  template <class T>"
    "  void forward(int," "               int) {" "    if (true) {" "    }" "${some}    one()\;" "  }" "}\;" "LONGSPAN_NAMESPACE_END")
