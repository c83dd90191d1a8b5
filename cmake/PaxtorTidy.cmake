# tidy: clang-tidy over our sources, with .clang-tidy. format: clang-format in place. Both want clang's tools.
find_program(PAXTOR_RUN_CLANG_TIDY NAMES run-clang-tidy run-clang-tidy-14)
find_program(PAXTOR_CLANG_FORMAT NAMES clang-format clang-format-14)
mark_as_advanced(PAXTOR_RUN_CLANG_TIDY PAXTOR_CLANG_FORMAT)

if(PAXTOR_RUN_CLANG_TIDY)
  # clang cannot read GCC's precompiled headers, so their flags are left out of a copy of the compile commands.
  add_custom_target(tidy
    COMMAND "${CMAKE_COMMAND}" -E make_directory "${PROJECT_BINARY_DIR}/tidy"
    COMMAND sed -E "s/ -Winvalid-pch//g; s/ -fpch-preprocess//g; s/ -include [^ ]*cmake_pch[.]hxx//g"
            "${PROJECT_BINARY_DIR}/compile_commands.json" > "${PROJECT_BINARY_DIR}/tidy/compile_commands.json"
    COMMAND "${PAXTOR_RUN_CLANG_TIDY}" -quiet -p "${PROJECT_BINARY_DIR}/tidy"
            "${PROJECT_SOURCE_DIR}/(libpaxtor|net|actors|tools|examples|test)/.*[.]cpp"
    WORKING_DIRECTORY "${PROJECT_SOURCE_DIR}"
    USES_TERMINAL VERBATIM)
endif()

if(PAXTOR_CLANG_FORMAT)
  file(GLOB_RECURSE paxtor_formatted CONFIGURE_DEPENDS
    ${PROJECT_SOURCE_DIR}/libpaxtor/*.[hc]pp ${PROJECT_SOURCE_DIR}/net/guardian/*.[hc]pp
    ${PROJECT_SOURCE_DIR}/net/*.[hc]pp ${PROJECT_SOURCE_DIR}/actors/*.[hc]pp
    ${PROJECT_SOURCE_DIR}/tools/*.[hc]pp ${PROJECT_SOURCE_DIR}/examples/*.[hc]pp ${PROJECT_SOURCE_DIR}/test/*.[hc]pp)
  add_custom_target(format COMMAND "${PAXTOR_CLANG_FORMAT}" -i ${paxtor_formatted} VERBATIM)
endif()
