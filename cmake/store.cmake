if(IMPRIMATUR_BENCH)
  add_executable(store_commits ${CMAKE_SOURCE_DIR}/bench/store_commits.cc)
  target_link_libraries(store_commits PRIVATE imprimatur_store)
endif()
