# Installs the build BUILD below WORK, builds the project SOURCE against what was installed, with COMPILER (behind
# LAUNCHER, if any), and runs it.
# Usage: cmake -DBUILD=... -DSOURCE=... -DWORK=... -DCOMPILER=... -DLAUNCHER=... -P run.cmake
function(step what)
  execute_process(COMMAND ${ARGN} RESULT_VARIABLE status OUTPUT_VARIABLE output ERROR_VARIABLE output)
  if(NOT status EQUAL 0)
    message(FATAL_ERROR "${what} failed:\n${output}")
  endif()
  set(output "${output}" PARENT_SCOPE)
endfunction()

# From nothing, so that no file of an earlier install can help.
file(REMOVE_RECURSE "${WORK}")
step("install" "${CMAKE_COMMAND}" --install "${BUILD}" --prefix "${WORK}/prefix" --component library)

# The door and nothing behind it.
file(GLOB_RECURSE headers RELATIVE "${WORK}/prefix/include" "${WORK}/prefix/include/*")
list(FILTER headers EXCLUDE REGEX "^paxtor/[a-z_]+\\.hpp$")
if(headers)
  message(FATAL_ERROR "installed, but not public: ${headers}")
endif()
file(GLOB_RECURSE packages "${WORK}/prefix/*/cmake/paxtor/*.cmake")
foreach(package IN LISTS packages)
  file(READ "${package}" text)
  foreach(private "${BUILD}" "${SOURCE}")
    string(FIND "${text}" "${private}" at)
    if(NOT at EQUAL -1)
      message(FATAL_ERROR "${package} names ${private}, which a user does not have")
    endif()
  endforeach()
endforeach()

step("configure" "${CMAKE_COMMAND}" -S "${SOURCE}" -B "${WORK}/build" -G Ninja
     "-DCMAKE_CXX_COMPILER_LAUNCHER=${LAUNCHER}" "-DCMAKE_PREFIX_PATH=${WORK}/prefix"
     "-DCMAKE_CXX_COMPILER=${COMPILER}" -DCMAKE_BUILD_TYPE=Debug)
step("build" "${CMAKE_COMMAND}" --build "${WORK}/build")
step("run" "${WORK}/build/consumer")
message(STATUS "${output}")
