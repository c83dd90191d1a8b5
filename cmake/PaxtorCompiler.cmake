# Language level, warnings, ccache and sanitizers: the same for every target.
set(CMAKE_CXX_STANDARD 20)
set(CMAKE_CXX_STANDARD_REQUIRED ON)
set(CMAKE_CXX_EXTENSIONS OFF)
set(CMAKE_EXPORT_COMPILE_COMMANDS ON)

if(NOT CMAKE_BUILD_TYPE AND NOT CMAKE_CONFIGURATION_TYPES)
  set(CMAKE_BUILD_TYPE RelWithDebInfo)
endif()

find_program(PAXTOR_CCACHE ccache)
if(PAXTOR_CCACHE AND NOT CMAKE_CXX_COMPILER_LAUNCHER)
  # Precompiled headers need ccache to look past __TIME__ and the time stamps of the header.
  set(CMAKE_CXX_COMPILER_LAUNCHER ${CMAKE_COMMAND} -E env
      CCACHE_SLOPPINESS=pch_defines,time_macros,include_file_mtime,include_file_ctime ${PAXTOR_CCACHE})
endif()

add_library(paxtor_options INTERFACE)
target_compile_options(paxtor_options INTERFACE -Wall -Wextra -Wpedantic -Wshadow=local -Wnon-virtual-dtor)
if(CMAKE_CXX_COMPILER_ID STREQUAL "GNU")
  # Needed with a precompiled header under ccache.
  target_compile_options(paxtor_options INTERFACE -fpch-preprocess)
endif()
if(PAXTOR_SANITIZE)
  target_compile_options(paxtor_options INTERFACE -fsanitize=${PAXTOR_SANITIZE} -fno-omit-frame-pointer
                                                  -fno-sanitize-recover=all)
  target_link_options(paxtor_options INTERFACE -fsanitize=${PAXTOR_SANITIZE})
endif()
