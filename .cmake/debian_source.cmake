# cmake -DROOT=<source folder> -DVERSION=<of the project> -DOUTPUT=<folder> -P debian_source.cmake
# Writes <folder>/longspan-<version>, what Debian's tools make a source package and liblongspan-dev of: dpkg-buildpackage --no-sign, there.
# DEBFULLNAME and DEBEMAIL in the environment say who maintains it, as to Debian's own tools, and SOURCE_DATE_EPOCH when it was made.
cmake_minimum_required(VERSION 3.23)
set(source ${OUTPUT}/longspan-${VERSION})
file(REMOVE_RECURSE ${source})
file(COPY ${ROOT}/include ${ROOT}/.cmake ${ROOT}/CMakeLists.txt ${ROOT}/LICENSE ${ROOT}/README.md DESTINATION ${source})

set(MAINTAINER "$ENV{DEBFULLNAME} <$ENV{DEBEMAIL}>")
if(MAINTAINER MATCHES "^ |<>")
  set(MAINTAINER "the longspan authors <nobody@example.org>")
endif()
string(TIMESTAMP DATE "%a, %d %b %Y %H:%M:%S +0000" UTC)
# The licence, in the form that Debian's machines read: indented, with a point for an empty line.
file(READ ${ROOT}/LICENSE LICENSE)
string(REGEX MATCH "Copyright \\(c\\) ([^\n]*)\n\n(.*)$" LICENSE "${LICENSE}")
set(COPYRIGHT "${CMAKE_MATCH_1}")
string(STRIP "${CMAKE_MATCH_2}" LICENSE)
string(REGEX REPLACE "\n\n" "\n.\n" LICENSE "${LICENSE}")
string(REGEX REPLACE "\n" "\n " LICENSE " ${LICENSE}")
foreach(name IN ITEMS control changelog copyright)
  configure_file(${ROOT}/.debian/${name}.in ${source}/debian/${name} @ONLY)
endforeach()
file(COPY ${ROOT}/.debian/rules DESTINATION ${source}/debian)
file(WRITE ${source}/debian/source/format "3.0 (native)\n")
