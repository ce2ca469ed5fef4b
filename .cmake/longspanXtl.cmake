# Debian's target xsimd links xtl, whose package it does not depend on and whose headers we do not need: without a target of that
# name the linker would look for a library libxtl.
if(NOT TARGET xtl)
  find_package(xtl QUIET)
endif()
if(NOT TARGET xtl)
  add_library(xtl INTERFACE IMPORTED)
endif()
