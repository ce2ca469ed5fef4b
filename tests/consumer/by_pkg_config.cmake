# cmake -DPKG_CONFIG=<program> -DCOMPILER=<g++> -DSTAGE=<prefix> -DSOURCE=<main.cpp> -DPROGRAM=<file> -P by_pkg_config.cmake
# A program built with what pkg-config says of the installed library, by hand.
cmake_minimum_required(VERSION 3.23)
# Debian finds /usr/share/pkgconfig beside what is named here.
set(ENV{PKG_CONFIG_PATH} ${STAGE}/share/pkgconfig:$ENV{PKG_CONFIG_PATH})
foreach(what IN ITEMS modversion cflags libs)
  execute_process(COMMAND ${PKG_CONFIG} --${what} longspan OUTPUT_VARIABLE ${what} OUTPUT_STRIP_TRAILING_WHITESPACE
                  COMMAND_ERROR_IS_FATAL ANY)
endforeach()
separate_arguments(flags UNIX_COMMAND "${cflags} ${libs}")
execute_process(COMMAND ${COMPILER} -std=c++20 "-DVERSION_BY_CMAKE=\"${modversion}\"" ${SOURCE} ${flags} -o ${PROGRAM}
                COMMAND_ERROR_IS_FATAL ANY)
execute_process(COMMAND ${PROGRAM} COMMAND_ERROR_IS_FATAL ANY)
