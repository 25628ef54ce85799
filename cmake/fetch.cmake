# The server that bench/fetch.py measures beside nginx.
if(IMPRIMATUR_BENCH)
  add_executable(fetch_server ${CMAKE_SOURCE_DIR}/bench/fetch_server.cc)
  target_link_libraries(fetch_server PRIVATE imprimatur_http)
endif()
