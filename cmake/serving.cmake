# What bench/fetch.py and bench/start.py measure with.
if(IMPRIMATUR_BENCH)
  foreach(bench IN ITEMS fetch_server http_load populate)
    add_executable(${bench} ${CMAKE_SOURCE_DIR}/bench/${bench}.cc)
    target_link_libraries(${bench} PRIVATE imprimatur_server)
  endforeach()
endif()
