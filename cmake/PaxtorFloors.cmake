# One static library per floor. The repository root is the include path, so that the first segments of an
# include name the floor (test/house checks that nobody looks up); only libpaxtor/include is public.

# paxtor_precompiled(TARGET PURE|CAF): uses the precompiled header of floor 0, or of net/ for what includes CAF. Each is
# compiled once.
function(paxtor_precompiled target kind)
  if(kind STREQUAL "CAF")
    set(home paxtor_net)
    set(headers <caf/all.hpp> <caf/io/all.hpp> <msgpack.hpp> <nlohmann/json.hpp>)
  else()
    set(home paxtor_base)
    set(headers <map> <optional> <string> <variant> <vector> <msgpack.hpp> <nlohmann/json.hpp>)
  endif()
  if(target STREQUAL home)
    target_precompile_headers(${target} PRIVATE ${headers})
  else()
    target_precompile_headers(${target} REUSE_FROM ${home})
  endif()
endfunction()

# paxtor_floor(NAME DIR folder [CAF] LINK targets... [PRIVATE_LINK targets...])
function(paxtor_floor name)
  cmake_parse_arguments(ARG "CAF" "DIR" "LINK;PRIVATE_LINK" ${ARGN})
  file(GLOB sources CONFIGURE_DEPENDS "${PROJECT_SOURCE_DIR}/${ARG_DIR}/*.cpp")
  if(NOT sources)
    set(sources "${PROJECT_BINARY_DIR}/${name}_is_empty.cpp")
    file(TOUCH "${sources}")
  endif()
  add_library(paxtor_${name} STATIC ${sources})
  add_library(paxtor::${name} ALIAS paxtor_${name})
  set_target_properties(paxtor_${name} PROPERTIES EXPORT_NAME ${name})
  target_include_directories(paxtor_${name} PUBLIC
    $<BUILD_INTERFACE:${PROJECT_SOURCE_DIR}>
    $<BUILD_INTERFACE:${PROJECT_SOURCE_DIR}/libpaxtor/include>
    $<INSTALL_INTERFACE:${CMAKE_INSTALL_INCLUDEDIR}>)
  target_compile_definitions(paxtor_${name} PUBLIC $<BUILD_INTERFACE:MSGPACK_NO_BOOST>)
  target_compile_features(paxtor_${name} PUBLIC cxx_std_20)
  target_link_libraries(paxtor_${name}
    PUBLIC ${ARG_LINK}
    PRIVATE $<BUILD_INTERFACE:paxtor_options> ${ARG_PRIVATE_LINK})
  if(ARG_CAF)
    target_link_libraries(paxtor_${name} PUBLIC CAF::core CAF::io CAF::openssl)
    paxtor_precompiled(paxtor_${name} CAF)
  else()
    paxtor_precompiled(paxtor_${name} PURE)
  endif()
  set_property(GLOBAL APPEND PROPERTY PAXTOR_FLOORS paxtor_${name})
endfunction()
