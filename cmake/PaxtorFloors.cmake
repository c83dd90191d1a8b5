# One static library per floor. The repository root is the include path, so that the first segments of an
# include name the floor; only libpaxtor/include is public.

# paxtor_floor(NAME DIR folder [CAF] LINK targets...)
function(paxtor_floor name)
  cmake_parse_arguments(ARG "CAF" "DIR" "LINK" ${ARGN})
  file(GLOB sources CONFIGURE_DEPENDS "${PROJECT_SOURCE_DIR}/${ARG_DIR}/*.cpp")
  if(NOT sources)
    add_library(paxtor_${name} INTERFACE)
    target_link_libraries(paxtor_${name} INTERFACE ${ARG_LINK})
    return()
  endif()
  add_library(paxtor_${name} STATIC ${sources})
  add_library(paxtor::${name} ALIAS paxtor_${name})
  target_include_directories(paxtor_${name} PUBLIC
    $<BUILD_INTERFACE:${PROJECT_SOURCE_DIR}>
    $<BUILD_INTERFACE:${PROJECT_SOURCE_DIR}/libpaxtor/include>)
  target_compile_definitions(paxtor_${name} PUBLIC $<BUILD_INTERFACE:MSGPACK_NO_BOOST>)
  target_compile_features(paxtor_${name} PUBLIC cxx_std_20)
  target_link_libraries(paxtor_${name} PUBLIC ${ARG_LINK} PRIVATE $<BUILD_INTERFACE:paxtor_options>)
  if(ARG_CAF)
    target_link_libraries(paxtor_${name} PUBLIC CAF::core CAF::io CAF::openssl)
    if(name STREQUAL "net")
      target_precompile_headers(paxtor_net PRIVATE
        <caf/all.hpp> <caf/io/all.hpp> <msgpack.hpp> <nlohmann/json.hpp>)
    else()
      target_precompile_headers(paxtor_${name} REUSE_FROM paxtor_net)
    endif()
  endif()
endfunction()
