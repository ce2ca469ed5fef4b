# One binary for every processor: see <longspan/isa_variants.hpp> for what the sources look like.
#
# longspan_add_isa_variants(<target> SOURCES <file>... [OPTIONS <option>...])
# Compiles the sources once for each of x86-64, x86-64-v3, x86-64-v4 and x86-64-v4 with AVX512-BF16 and -VNNI that the compiler knows, with
# the target's own options, definitions and include directories and then OPTIONS, and adds them to the target. On other processors they
# are compiled once.
#
# Two variants define the same functions of the standard library and of Eigen under one name; a linker would keep any of them, and a
# small processor might run those for a large one. So each variant becomes one object in which only the names of its own namespace
# are global: ld -r joins its files, objcopy makes the rest local.
include_guard(GLOBAL)
include(CheckCXXCompilerFlag)

# Sets <names> to the variants, and for each <name>_flags, in the order of isa_variants.hpp.
function(longspan_find_isa_variants names)
  set(found baseline)
  set(baseline_flags)
  if(CMAKE_SYSTEM_PROCESSOR MATCHES "^(x86_64|AMD64|amd64)$")
    set(baseline_flags -march=x86-64)
    set(v3_flags -march=x86-64-v3)
    set(v4_flags -march=x86-64-v4)
    set(v4_bf16_flags -march=x86-64-v4 -mavx512bf16 -mavx512vnni)
    foreach(variant IN ITEMS v3 v4 v4_bf16)
      string(REPLACE ";" " " flags "${${variant}_flags}")
      check_cxx_compiler_flag("${flags}" longspan_compiles_${variant})
      if(NOT longspan_compiles_${variant})
        break()
      endif()
      list(APPEND found ${variant})
      set(${variant}_flags ${${variant}_flags} PARENT_SCOPE)
    endforeach()
    # A variant between two that are there has a number of its own in isa_variants.hpp.
    list(LENGTH found count)
    if(count EQUAL 2)
      set(found baseline)
    endif()
  endif()
  set(baseline_flags ${baseline_flags} PARENT_SCOPE)
  set(${names} ${found} PARENT_SCOPE)
endfunction()

function(longspan_add_isa_variants target)
  cmake_parse_arguments(PARSE_ARGV 1 arg "" "" "SOURCES;OPTIONS")
  if(NOT TARGET ${target} OR NOT arg_SOURCES OR arg_UNPARSED_ARGUMENTS)
    message(FATAL_ERROR "longspan_add_isa_variants(<target> SOURCES <file>... [OPTIONS <option>...]), not "
                        "longspan_add_isa_variants(${ARGV})")
  endif()
  longspan_find_isa_variants(variants)
  list(LENGTH variants count)
  target_compile_definitions(${target} PUBLIC LONGSPAN_VARIANTS=${count})
  if(count GREATER 1)
    # Those of GNU: lld knows the option from version 19 on, and CMake takes lld where the compiler is clang.
    find_program(LONGSPAN_LD NAMES ld.bfd ld DOC "GNU's ld, which joins the objects of a variant")
    find_program(LONGSPAN_OBJCOPY NAMES objcopy DOC "GNU's objcopy, which makes names local")
    if(NOT LONGSPAN_LD OR NOT LONGSPAN_OBJCOPY)
      message(FATAL_ERROR "longspan_add_isa_variants needs GNU's ld and objcopy, of binutils: LONGSPAN_LD is '${LONGSPAN_LD}', "
                          "LONGSPAN_OBJCOPY '${LONGSPAN_OBJCOPY}'")
    endif()
  endif()

  foreach(variant IN LISTS variants)
    set(unit ${target}_${variant})
    add_library(${unit} OBJECT ${arg_SOURCES})
    target_link_libraries(${unit} PRIVATE longspan::longspan)
    target_include_directories(${unit} PRIVATE $<TARGET_PROPERTY:${target},INCLUDE_DIRECTORIES>)
    target_compile_definitions(${unit} PRIVATE $<TARGET_PROPERTY:${target},COMPILE_DEFINITIONS> LONGSPAN_VARIANT=variant_${variant})
    target_compile_options(${unit} PRIVATE $<TARGET_PROPERTY:${target},COMPILE_OPTIONS> ${arg_OPTIONS} ${${variant}_flags})
    get_target_property(independent ${target} POSITION_INDEPENDENT_CODE)
    get_target_property(type ${target} TYPE)
    if(independent OR type MATCHES "^(SHARED|MODULE)_LIBRARY$")
      set_target_properties(${unit} PROPERTIES POSITION_INDEPENDENT_CODE ON)
    endif()
    if(count EQUAL 1)
      target_sources(${target} PRIVATE $<TARGET_OBJECTS:${unit}>)
      continue()
    endif()
    # Objects of a link-time optimiser hold no code to be joined, and objcopy leaves g++'s unique symbols global.
    set_target_properties(${unit} PROPERTIES INTERPROCEDURAL_OPTIMIZATION OFF)
    target_compile_options(${unit} PRIVATE -fno-lto $<$<CXX_COMPILER_ID:GNU>:-fno-gnu-unique>)
    set(joined ${CMAKE_CURRENT_BINARY_DIR}/${unit}.o)
    string(LENGTH variant_${variant} length)
    add_custom_command(
      OUTPUT ${joined}
      COMMAND ${LONGSPAN_LD} -r --force-group-allocation -o ${joined} $<TARGET_OBJECTS:${unit}>
      COMMAND ${LONGSPAN_OBJCOPY} --wildcard "--keep-global-symbol=*${length}variant_${variant}*" ${joined}
      DEPENDS ${unit} $<TARGET_OBJECTS:${unit}>
      COMMAND_EXPAND_LISTS VERBATIM)
    set_source_files_properties(${joined} PROPERTIES EXTERNAL_OBJECT ON GENERATED ON)
    target_sources(${target} PRIVATE ${joined})
  endforeach()
endfunction()
