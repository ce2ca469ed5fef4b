# Finds Eigen 3.4 and xsimd 8.1 or newer, for this tree and for the installed package. Where one is missing or too old, longspan_missing
# says so. A parent project may bring targets of its own.

# Debian's target xsimd links xtl, whose package it does not depend on and whose headers we do not need: without a target of that
# name the linker would look for a library libxtl. Newer versions link it only where they are asked to.
if(NOT TARGET xtl)
  find_package(xtl QUIET)
endif()
if(NOT TARGET xtl)
  add_library(xtl INTERFACE IMPORTED)
endif()

# The version is compared here: both packages refuse a request for 3.4 or 8.1 where the next major version is installed.
set(longspan_missing)
foreach(dependency IN ITEMS "Eigen3;3.4;Eigen3::Eigen" "xsimd;8.1;xsimd")
  list(GET dependency 0 package)
  list(GET dependency 1 oldest)
  list(GET dependency 2 target)
  if(NOT TARGET ${target})
    find_package(${package} QUIET CONFIG)
  endif()
  if(NOT TARGET ${target})
    string(APPEND longspan_missing "longspan needs ${package} ${oldest} or newer and found none: "
                                   "set ${package}_DIR to the folder of its ${package}Config.cmake. ")
  elseif(DEFINED ${package}_VERSION AND ${package}_VERSION VERSION_LESS oldest)
    string(APPEND longspan_missing "longspan needs ${package} ${oldest} or newer and found ${${package}_VERSION}: "
                                   "${package}_DIR is ${${package}_DIR}. ")
  endif()
endforeach()
