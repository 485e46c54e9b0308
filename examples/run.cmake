# Runs an example: it succeeds, and prints what is asked for. cmake -D PROGRAM=... -D PRINTS=regex -P run.cmake
execute_process(COMMAND ${PROGRAM} RESULT_VARIABLE status OUTPUT_VARIABLE printed ERROR_VARIABLE complaints)
message("${printed}${complaints}")
if(NOT status EQUAL 0)
  message(FATAL_ERROR "it failed: ${status}")
endif()
if(NOT printed MATCHES "${PRINTS}")
  message(FATAL_ERROR "it did not print ${PRINTS}")
endif()
