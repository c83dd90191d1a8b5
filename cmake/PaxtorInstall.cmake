# cmake --install: static libraries, the public headers and the package that find_package(paxtor) reads.
include(CMakePackageConfigHelpers)

set(paxtor_package_dir "${CMAKE_INSTALL_LIBDIR}/cmake/paxtor")
get_property(paxtor_floors GLOBAL PROPERTY PAXTOR_FLOORS)

install(TARGETS ${paxtor_floors} paxtor_door EXPORT paxtor-targets
        ARCHIVE DESTINATION "${CMAKE_INSTALL_LIBDIR}" COMPONENT library)
install(EXPORT paxtor-targets NAMESPACE paxtor:: DESTINATION "${paxtor_package_dir}" COMPONENT library)
install(DIRECTORY libpaxtor/include/paxtor DESTINATION "${CMAKE_INSTALL_INCLUDEDIR}" COMPONENT library
        FILES_MATCHING PATTERN "*.hpp")

configure_package_config_file(cmake/paxtor-config.cmake.in "${PROJECT_BINARY_DIR}/paxtor-config.cmake"
                              INSTALL_DESTINATION "${paxtor_package_dir}")
# 0.x: every minor version may change the door.
write_basic_package_version_file("${PROJECT_BINARY_DIR}/paxtor-config-version.cmake"
                                 COMPATIBILITY SameMinorVersion)
install(FILES "${PROJECT_BINARY_DIR}/paxtor-config.cmake" "${PROJECT_BINARY_DIR}/paxtor-config-version.cmake"
              cmake/FindCAF.cmake
        DESTINATION "${paxtor_package_dir}" COMPONENT library)
