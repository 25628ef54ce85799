# The rule packs that ship stand in the binary: rules/*.yaml become one source file, remade when one changes.
file(GLOB rule_packs CONFIGURE_DEPENDS ${CMAKE_SOURCE_DIR}/rules/*.yaml)
set(embedded_packs ${CMAKE_BINARY_DIR}/generated/embedded_packs.cc)
add_custom_command(
  OUTPUT ${embedded_packs}
  COMMAND ${CMAKE_COMMAND} -DOUT=${embedded_packs} "-DPACKS=${rule_packs}" -P ${CMAKE_SOURCE_DIR}/cmake/embed_packs.cmake
  DEPENDS ${rule_packs} ${CMAKE_SOURCE_DIR}/cmake/embed_packs.cmake
  VERBATIM)
target_sources(imprimatur_scan PRIVATE ${embedded_packs})

if(IMPRIMATUR_BENCH)
  foreach(bench IN ITEMS scan_quality scan_reports scan_speed)
    add_executable(${bench} ${CMAKE_SOURCE_DIR}/bench/${bench}.cc)
    target_include_directories(${bench} PRIVATE ${CMAKE_SOURCE_DIR})
    target_link_libraries(${bench} PRIVATE imprimatur_scan)
  endforeach()
endif()
