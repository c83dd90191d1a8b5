# cmake -DEXPECTED=status -DCOMMAND=program;arguments -P expect_exit.cmake: fails unless that is its exit status.
execute_process(COMMAND ${COMMAND} RESULT_VARIABLE status)
if(NOT status STREQUAL EXPECTED)
  message(FATAL_ERROR "exit status ${status}, expected ${EXPECTED}: ${COMMAND}")
endif()
