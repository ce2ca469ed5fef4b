# cmake -DCONAN=<conan> -DCOMPILER=<g++> -DROOT=<source folder> -DWORK_DIR=<scratch folder> -P by_conan.cmake
# conan create, with the Eigen and the xsimd of this machine: the recipe packages, and a project finds the package.
cmake_minimum_required(VERSION 3.23)
file(REMOVE_RECURSE ${WORK_DIR})
set(ENV{CONAN_HOME} ${WORK_DIR}/home)
set(ENV{CXX} ${COMPILER})
execute_process(COMMAND ${CONAN} profile detect COMMAND_ERROR_IS_FATAL ANY)
execute_process(COMMAND ${CONAN} create ${ROOT}/.conan --no-remote -s compiler.cppstd=20 -o "&:system_dependencies=True"
                        --test-folder=${ROOT}/.conan/test_package -c "tools.cmake.cmake_layout:test_folder=${WORK_DIR}/test"
                COMMAND_ERROR_IS_FATAL ANY)
