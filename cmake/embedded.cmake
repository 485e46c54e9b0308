# plex_embed(INTO HEADER NAMESPACE FILES...): a source file, made in the current binary folder, with a function for each file
# that gives its text.
function(plex_embed into header namespace)
  list(TRANSFORM ARGN PREPEND ${CMAKE_CURRENT_SOURCE_DIR}/)
  list(JOIN ARGN "," files)
  add_custom_command(OUTPUT ${CMAKE_CURRENT_BINARY_DIR}/${into}
                     COMMAND ${CMAKE_COMMAND} -D INTO=${CMAKE_CURRENT_BINARY_DIR}/${into} -D HEADER=${header}
                             -D NAMESPACE=${namespace} "-DFILES=${files}" -P ${PROJECT_SOURCE_DIR}/cmake/embed.cmake
                     DEPENDS ${ARGN} ${PROJECT_SOURCE_DIR}/cmake/embed.cmake)
endfunction()
