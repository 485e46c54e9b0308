# What is installed, in three components: library (a shared one alone has it), dev, tools.
include(GNUInstallDirs)
include(CMakePackageConfigHelpers)

install(TARGETS plex_activities plex_testing EXPORT plex_activities-targets
        LIBRARY COMPONENT library NAMELINK_COMPONENT dev
        ARCHIVE COMPONENT dev)
install(DIRECTORY include/ DESTINATION ${CMAKE_INSTALL_INCLUDEDIR} COMPONENT dev)
if(PLEX_BUILD_TOOLS)
  install(TARGETS plex-activities COMPONENT tools)
  if(PLEX_BUILD_SERVICES)
    # The services' units name the folder that the programs are installed in.
    foreach(service plex-dashboard plex-relay plex-mqtt)
      install(TARGETS ${service} COMPONENT tools)
      configure_file(packaging/systemd/${service}.service.in ${service}.service @ONLY)
      install(FILES ${PROJECT_BINARY_DIR}/${service}.service DESTINATION lib/systemd/system COMPONENT tools)
    endforeach()
    install(FILES packaging/systemd/plex-activities.sysusers RENAME plex-activities.conf DESTINATION lib/sysusers.d
            COMPONENT tools)
    install(FILES packaging/systemd/config.json packaging/systemd/relay.json packaging/systemd/mqtt.json packaging/prometheus/prometheus.yml packaging/prometheus/alerts.yml
            packaging/prometheus/alerts_test.yml packaging/grafana/plex-activities.json
            DESTINATION ${CMAKE_INSTALL_DATADIR}/doc/plex-activities/examples COMPONENT tools)
  endif()
  if(TARGET plex_made_pages)
    set(pages ${PROJECT_BINARY_DIR}/tools)
    install(FILES ${pages}/plex-activities.1 DESTINATION ${CMAKE_INSTALL_MANDIR}/man1 COMPONENT tools)
    install(FILES ${pages}/plex-activities.bash RENAME plex-activities
            DESTINATION ${CMAKE_INSTALL_DATADIR}/bash-completion/completions COMPONENT tools)
    # Debian's zsh looks for what its packages bring in a folder of its own.
    set(of_zsh site-functions)
    if(CMAKE_INSTALL_PREFIX STREQUAL "/usr" AND EXISTS /etc/debian_version)
      set(of_zsh vendor-completions)
    endif()
    install(FILES ${pages}/_plex-activities DESTINATION ${CMAKE_INSTALL_DATADIR}/zsh/${of_zsh} COMPONENT tools)
  endif()
endif()

# CMake: find_package(plex_activities)
set(config_dir ${CMAKE_INSTALL_LIBDIR}/cmake/plex_activities)
target_include_directories(plex_activities INTERFACE $<INSTALL_INTERFACE:${CMAKE_INSTALL_INCLUDEDIR}>)
target_include_directories(plex_testing INTERFACE $<INSTALL_INTERFACE:${CMAKE_INSTALL_INCLUDEDIR}>)
configure_package_config_file(cmake/plex_activities-config.cmake.in plex_activities-config.cmake INSTALL_DESTINATION ${config_dir})
write_basic_package_version_file(plex_activities-config-version.cmake COMPATIBILITY SameMinorVersion)
install(FILES ${PROJECT_BINARY_DIR}/plex_activities-config.cmake ${PROJECT_BINARY_DIR}/plex_activities-config-version.cmake
        DESTINATION ${config_dir} COMPONENT dev)
install(EXPORT plex_activities-targets NAMESPACE plex:: DESTINATION ${config_dir} COMPONENT dev)

# pkg-config. Boost has no .pc file of its own, so its folders and libraries are named; those that every compiler searches
# pkg-config leaves out.
file(RELATIVE_PATH pc_prefix ${CMAKE_INSTALL_FULL_LIBDIR}/pkgconfig ${CMAKE_INSTALL_PREFIX})
set(boost_libs "-L$<TARGET_LINKER_FILE_DIR:Boost::json> -lboost_json")
if(BUILD_SHARED_LIBS)
  set(own_needs "Requires.private: openssl\nLibs.private: -lboost_url")
else()
  set(boost_libs_of_static " -lboost_url")
  set(own_needs "Requires: openssl")
endif()
foreach(name activities testing)
  configure_file(cmake/plex_${name}.pc.in plex_${name}.pc.configured @ONLY)
  file(GENERATE OUTPUT ${PROJECT_BINARY_DIR}/plex_${name}.pc INPUT ${PROJECT_BINARY_DIR}/plex_${name}.pc.configured)
  install(FILES ${PROJECT_BINARY_DIR}/plex_${name}.pc DESTINATION ${CMAKE_INSTALL_LIBDIR}/pkgconfig COMPONENT dev)
endforeach()

include(cmake/debian.cmake)
