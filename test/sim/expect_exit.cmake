# cmake -DEXPECTED=status "-DCOMMAND=program arguments" -P expect_exit.cmake: fails unless that is its exit status.
separate_arguments(words UNIX_COMMAND "${COMMAND}")
execute_process(COMMAND ${words} RESULT_VARIABLE status)
if(NOT status STREQUAL EXPECTED)
  message(FATAL_ERROR "exit status ${status}, expected ${EXPECTED}: ${COMMAND}")
endif()
