# api/openapi.yaml stands in the binary and is served from there.
set(embedded_contract ${CMAKE_BINARY_DIR}/generated/embedded_contract.cc)
add_custom_command(
  OUTPUT ${embedded_contract}
  COMMAND ${CMAKE_COMMAND} -DOUT=${embedded_contract} -DIN=${CMAKE_SOURCE_DIR}/api/openapi.yaml
          -DHEADER=server/contract.h -DFUNCTION=imprimatur::server::contract_text
          -P ${CMAKE_SOURCE_DIR}/cmake/embed_text.cmake
  DEPENDS ${CMAKE_SOURCE_DIR}/api/openapi.yaml ${CMAKE_SOURCE_DIR}/cmake/embed_text.cmake
  VERBATIM)
target_sources(imprimatur_server PRIVATE ${embedded_contract})
