# Objects are found again from any clone at any path, also behind precompiled headers.
find_program(CCACHE ccache)
if(CCACHE)
  set(CMAKE_CXX_COMPILER_LAUNCHER
      ${CMAKE_COMMAND} -E env CCACHE_BASEDIR=${CMAKE_SOURCE_DIR} CCACHE_NOHASHDIR=1 CCACHE_PCH_EXTSUM=1
      CCACHE_SLOPPINESS=pch_defines,time_macros,include_file_mtime,include_file_ctime ${CCACHE})
endif()

# GCC writes other bytes each time it precompiles the same header, so ccache is told to compare what went in: the
# header's text, the compiler's version and the versions of the libraries whose headers it reads.
function(imprimatur_identify_precompiled target header)
  if(NOT CCACHE OR CMAKE_DISABLE_PRECOMPILE_HEADERS)
    return()
  endif()
  file(READ ${header} text)
  file(READ ${CMAKE_SOURCE_DIR}/src/base/precompiled.h shared)
  set(versions ${CMAKE_CXX_COMPILER_ID} ${CMAKE_CXX_COMPILER_VERSION} ${CMAKE_CXX_FLAGS})
  foreach(package libboost1.81-dev libboost-json1.81-dev libstdc++-12-dev libc6-dev libgtest-dev librapidcheck-dev
                  libsoci-dev)
    execute_process(COMMAND dpkg-query -W ${package} OUTPUT_VARIABLE version ERROR_QUIET
                    OUTPUT_STRIP_TRAILING_WHITESPACE)
    list(APPEND versions ${version})
  endforeach()
  string(SHA256 sum "${text}${shared}${versions}")
  set_property(DIRECTORY APPEND PROPERTY CMAKE_CONFIGURE_DEPENDS ${header})
  file(WRITE ${CMAKE_BINARY_DIR}/CMakeFiles/${target}.dir/cmake_pch.hxx.gch.sum "${sum}\n")
endfunction()
