# One static library per floor. The repository root is the include path, so that the first segments of an
# include name the floor (test/house checks that nobody looks up); only libpaxtor/include is public.

# Two precompiled headers, each compiled once, by a target that has nothing but the header: so that no definition of a
# user (spdlog's, say) is part of it, which would make GCC refuse it everywhere else.
function(paxtor_precompiled_home name)
  cmake_parse_arguments(ARG "" "" "HEADERS;LINK" ${ARGN})
  set(nothing "${PROJECT_BINARY_DIR}/${name}.cpp")
  file(CONFIGURE OUTPUT "${nothing}" CONTENT "// Only here to compile the precompiled header.\n")
  add_library(${name} OBJECT "${nothing}")
  target_link_libraries(${name} PRIVATE ${ARG_LINK} paxtor_options)
  target_compile_definitions(${name} PRIVATE MSGPACK_NO_BOOST)
  target_precompile_headers(${name} PRIVATE ${ARG_HEADERS})
endfunction()

set(paxtor_pure_headers <map> <optional> <string> <variant> <vector> <msgpack.hpp> <nlohmann/json.hpp>)
paxtor_precompiled_home(paxtor_precompiled_pure
  HEADERS ${paxtor_pure_headers}
  LINK nlohmann_json::nlohmann_json)
paxtor_precompiled_home(paxtor_precompiled_caf
  HEADERS ${paxtor_pure_headers} <caf/all.hpp> <caf/io/all.hpp>
  LINK nlohmann_json::nlohmann_json CAF::core CAF::io CAF::openssl)

# paxtor_precompiled(TARGET PURE|CAF): the target uses one of them. It needs MSGPACK_NO_BOOST, as all floors have it.
function(paxtor_precompiled target kind)
  string(TOLOWER "${kind}" kind)
  target_precompile_headers(${target} REUSE_FROM paxtor_precompiled_${kind})
endfunction()

# paxtor_unity(TARGET): compiles several sources at once if PAXTOR_UNITY is on. Most of the time goes into headers,
# so this takes a third of it; the preset `dev` leaves it off, so that each file is also compiled by itself.
function(paxtor_unity target)
  if(PAXTOR_UNITY)
    set_target_properties(${target} PROPERTIES UNITY_BUILD ON UNITY_BUILD_BATCH_SIZE 6)
  endif()
endfunction()

# paxtor_floor(NAME DIR folder [CAF] LINK targets... [PRIVATE_LINK targets...])
function(paxtor_floor name)
  cmake_parse_arguments(ARG "CAF" "DIR" "LINK;PRIVATE_LINK" ${ARGN})
  file(GLOB sources CONFIGURE_DEPENDS "${PROJECT_SOURCE_DIR}/${ARG_DIR}/*.cpp")
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
  paxtor_unity(paxtor_${name})
  set_property(GLOBAL APPEND PROPERTY PAXTOR_FLOORS paxtor_${name})
endfunction()
