# cmake -DVCPKG=<vcpkg's folder> -DNINJA=<program> -DPKG_CONFIG=<program> -DROOT=<source folder> -DVERSION=<of the project>
#       -DWORK_DIR=<scratch folder> -P by_vcpkg.cmake
# The port, built as vcpkg builds one, by its scripts and the ports that they need; a project finds what is installed by vcpkg's toolchain.
# The program vcpkg would fetch Eigen and xsimd first: here they are those of this machine.
cmake_minimum_required(VERSION 3.23)
file(REMOVE_RECURSE ${WORK_DIR})
set(triplet x64-linux)
set(installed ${WORK_DIR}/installed)
set(share ${installed}/${triplet}/share)

# build(<port> <its folder> <version>): as vcpkg calls its scripts, and what comes out installed.
function(build port folder version)
  set(package ${WORK_DIR}/packages/${port}_${triplet})
  execute_process(
    COMMAND ${CMAKE_COMMAND} -DCMD=BUILD -DPORT=${port} -DVERSION=${version} -DCURRENT_PORT_DIR=${folder} -DFEATURES=core -DALL_FEATURES=
            -DTARGET_TRIPLET=${triplet} -DTARGET_TRIPLET_FILE=${VCPKG}/triplets/${triplet}.cmake -D_HOST_TRIPLET=${triplet}
            -DVCPKG_BASE_VERSION=2999-12-31 -DVCPKG_CONCURRENCY=1 -DVCPKG_ROOT_DIR=${VCPKG} -DDOWNLOADS=${WORK_DIR}/downloads
            -DBUILDTREES_DIR=${WORK_DIR}/buildtrees -DPACKAGES_DIR=${WORK_DIR}/packages -DCURRENT_PACKAGES_DIR=${package}
            -D_VCPKG_INSTALLED_DIR=${installed} -D_VCPKG_NO_DOWNLOADS=1 -D_VCPKG_PROHIBIT_BACKCOMPAT_FEATURES=1
            -DVCPKG_USE_HEAD_VERSION=0 -D_VCPKG_EDITABLE=0 -DZ_VCPKG_CHAINLOAD_TOOLCHAIN_FILE=${VCPKG}/scripts/toolchains/linux.cmake
            -DNINJA=${NINJA} -DPKGCONFIG=${PKG_CONFIG} "-DVCPKG_PORT_CONFIGS=${configs}" -P ${VCPKG}/scripts/ports.cmake
    COMMAND_ERROR_IS_FATAL ANY)
  file(COPY ${package}/ DESTINATION ${installed}/${triplet})
endfunction()

set(configs)
foreach(helper IN ITEMS vcpkg-cmake vcpkg-cmake-config)
  build(${helper} ${VCPKG}/ports/${helper} 1)
  list(APPEND configs ${share}/${helper}/vcpkg-port-config.cmake)
endforeach()
build(longspan ${ROOT}/.vcpkg/ports/longspan ${VERSION})

execute_process(COMMAND ${CMAKE_COMMAND} -S ${CMAKE_CURRENT_LIST_DIR} -B ${WORK_DIR}/consumer -G Ninja -DCMAKE_MAKE_PROGRAM=${NINJA}
                        -DWAY=package -DCMAKE_TOOLCHAIN_FILE=${VCPKG}/scripts/buildsystems/vcpkg.cmake -DVCPKG_MANIFEST_MODE=OFF
                        -DVCPKG_INSTALLED_DIR=${installed} -DVCPKG_TARGET_TRIPLET=${triplet} COMMAND_ERROR_IS_FATAL ANY)
file(STRINGS ${WORK_DIR}/consumer/CMakeCache.txt found REGEX "^longspan_DIR:PATH=${share}/longspan$")
if(NOT found)
  message(FATAL_ERROR "The project does not find the longspan of the port")
endif()
execute_process(COMMAND ${CMAKE_COMMAND} --build ${WORK_DIR}/consumer COMMAND_ERROR_IS_FATAL ANY)
execute_process(COMMAND ${WORK_DIR}/consumer/consumer COMMAND_ERROR_IS_FATAL ANY)
