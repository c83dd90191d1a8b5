# Language level, warnings, ccache and sanitizers: the same for every target. Targets get them by linking
# paxtor_options, which is not installed.
set(CMAKE_CXX_STANDARD 20)
set(CMAKE_CXX_STANDARD_REQUIRED ON)
set(CMAKE_CXX_EXTENSIONS OFF)
set(CMAKE_EXPORT_COMPILE_COMMANDS ON)

if(NOT CMAKE_BUILD_TYPE AND NOT CMAKE_CONFIGURATION_TYPES)
  set(CMAKE_BUILD_TYPE RelWithDebInfo)
endif()

find_program(PAXTOR_CCACHE ccache)
if(PAXTOR_CCACHE AND NOT CMAKE_CXX_COMPILER_LAUNCHER)
  # Precompiled headers need ccache to look past __TIME__ and the time stamps of the header. With paths
  # relative to the build directory, two clones, or two build directories beside each other, share results.
  set(CMAKE_CXX_COMPILER_LAUNCHER
    ${CMAKE_COMMAND} -E env
    CCACHE_SLOPPINESS=pch_defines,time_macros,include_file_mtime,include_file_ctime
    CCACHE_BASEDIR=/ CCACHE_NOHASHDIR=1 ${PAXTOR_CCACHE})
endif()

add_library(paxtor_options INTERFACE)
target_compile_options(paxtor_options INTERFACE
  -Wall -Wextra -Wpedantic -Wnon-virtual-dtor -Wimplicit-fallthrough)
if(CMAKE_CXX_COMPILER_ID STREQUAL "GNU")
  # -fpch-preprocess: needed with a precompiled header under ccache.
  target_compile_options(paxtor_options INTERFACE -Wshadow=local -fpch-preprocess)
  # Seen by GCC 12 in moves of variants and sums of strings where there is nothing, once it
  # optimizes.
  target_compile_options(paxtor_options INTERFACE
    -Wno-maybe-uninitialized -Wno-stringop-overflow -Wno-restrict -Wno-array-bounds)
endif()

if(PAXTOR_SANITIZE)
  # Our own code only: CAF comes as it is from the system. test/sanitizers/README.md says what that takes.
  set(paxtor_sanitizer_options -fsanitize=${PAXTOR_SANITIZE} -fno-omit-frame-pointer -fno-sanitize-recover=all)
  if(PAXTOR_SANITIZE MATCHES "undefined")
    # CAF's headers bind a reference to a null pointer wherever a function-based actor without arguments is spawned
    # (init_fun_factory.hpp). Reading through a null pointer is still seen, by AddressSanitizer.
    list(APPEND paxtor_sanitizer_options -fno-sanitize=null)
  endif()
  add_library(paxtor_sanitizers OBJECT
    "${PROJECT_SOURCE_DIR}/test/sanitizers/defaults.cpp" "${PROJECT_SOURCE_DIR}/test/sanitizers/caf_order.cpp")
  target_compile_options(paxtor_sanitizers PRIVATE ${paxtor_sanitizer_options})
  target_compile_options(paxtor_options INTERFACE ${paxtor_sanitizer_options})
  target_link_options(paxtor_options INTERFACE -fsanitize=${PAXTOR_SANITIZE})
  target_link_libraries(paxtor_options INTERFACE $<TARGET_OBJECTS:paxtor_sanitizers>)
endif()

if(PAXTOR_FUZZ)
  if(NOT CMAKE_CXX_COMPILER_ID STREQUAL "Clang")
    message(FATAL_ERROR "PAXTOR_FUZZ needs clang and its libFuzzer: cmake --preset fuzz")
  endif()
  # All of ours is watched by libFuzzer; test/fuzz links it.
  target_compile_options(paxtor_options INTERFACE
    -fsanitize=fuzzer-no-link,address,undefined -fno-omit-frame-pointer -fno-sanitize-recover=all)
  target_link_options(paxtor_options INTERFACE -fsanitize=address,undefined)
endif()
