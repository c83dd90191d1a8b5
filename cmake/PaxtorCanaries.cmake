# Canaries: the simulator and test programs with a rule of PROTOCOL.md taken out, which must be found. The table in
# test/sim/README.md says which there are, and is read here, so that it cannot be wrong.
set(PAXTOR_CANARY_TABLE "${PROJECT_SOURCE_DIR}/test/sim/README.md")
set_property(DIRECTORY "${PROJECT_SOURCE_DIR}" APPEND PROPERTY CMAKE_CONFIGURE_DEPENDS "${PAXTOR_CANARY_TABLE}")
file(STRINGS "${PAXTOR_CANARY_TABLE}" paxtor_canaries REGEX "^\\| [LSFR][0-9] \\| `[A-Z0-9_]+` \\|")

# paxtor_canary_row(ROW): sets flag, files, finder, knobs and status in the caller's scope.
function(paxtor_canary_row row)
  set(cell "\\| ([^|]+) ")
  if(NOT row MATCHES "^\\| [LSFR][0-9] \\| `([A-Z0-9_]+)` ${cell}\\| [^|]+ ${cell}${cell}\\| [^|]+ \\| ([0-9]+) \\|$")
    message(FATAL_ERROR "not a row of the table of canaries: ${row}")
  endif()
  set(flag "${CMAKE_MATCH_1}" PARENT_SCOPE)
  set(finder "${CMAKE_MATCH_3}" PARENT_SCOPE)
  set(status "${CMAKE_MATCH_5}" PARENT_SCOPE)
  string(REPLACE "`" "" knobs "${CMAKE_MATCH_4}")
  if(knobs STREQUAL "-")
    set(knobs)
  endif()
  set(knobs "${knobs}" PARENT_SCOPE)
  string(REPLACE ", " ";" files "${CMAKE_MATCH_2}")
  set(absolute)
  foreach(file IN LISTS files)
    # The protocol's files are written without libpaxtor/.
    if(EXISTS "${PROJECT_SOURCE_DIR}/libpaxtor/${file}")
      list(APPEND absolute "${PROJECT_SOURCE_DIR}/libpaxtor/${file}")
    elseif(EXISTS "${PROJECT_SOURCE_DIR}/${file}")
      list(APPEND absolute "${PROJECT_SOURCE_DIR}/${file}")
    else()
      message(FATAL_ERROR "no such file: ${row}")
    endif()
  endforeach()
  set(files "${absolute}" PARENT_SCOPE)
endfunction()

# A canary links a file of its own in the place of the library's, which must be an object of its own for that.
# Properties of sources are those of a directory, so this is called in each that makes libraries. Not for files with
# CAF, which take long: there the first definition counts.
function(paxtor_canaries_alone)
  foreach(row IN LISTS paxtor_canaries)
    paxtor_canary_row("${row}")
    if(finder MATCHES "^actors: ")
      continue()
    endif()
    set_source_files_properties(${files} PROPERTIES SKIP_UNITY_BUILD_INCLUSION ON)
  endforeach()
endfunction()

# paxtor_canary(NAME FLAG flag PROGRAM target LINK targets... FILES files... [CAF]): PROGRAM once more, with these
# files compiled with the flag. All else is linked as it is.
function(paxtor_canary name)
  cmake_parse_arguments(ARG "CAF" "FLAG;PROGRAM" "LINK;FILES" ${ARGN})
  add_executable(${name} $<TARGET_OBJECTS:${ARG_PROGRAM}> ${ARG_FILES})
  target_compile_definitions(${name} PRIVATE PAXTOR_CANARY_${ARG_FLAG})
  target_link_libraries(${name} PRIVATE ${ARG_LINK} paxtor_options)
  target_include_directories(${name} PRIVATE "${PROJECT_SOURCE_DIR}")
  if(ARG_CAF)
    paxtor_precompiled(${name} CAF)
    target_link_options(${name} PRIVATE -Wl,--allow-multiple-definition)
  else()
    paxtor_precompiled(${name} PURE)
  endif()
endfunction()
