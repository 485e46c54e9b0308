# How this project's own files are compiled; nothing here reaches a user's targets.
if(NOT CMAKE_CXX_STANDARD) # 23 does too
  set(CMAKE_CXX_STANDARD 20)
endif()
set(CMAKE_CXX_STANDARD_REQUIRED ON)
set(CMAKE_CXX_EXTENSIONS OFF)
# What is declared with PLEX_API is seen from outside a shared library, and nothing else.
set(CMAKE_CXX_VISIBILITY_PRESET hidden)
set(CMAKE_VISIBILITY_INLINES_HIDDEN ON)
if(BUILD_SHARED_LIBS)
  set(CMAKE_POSITION_INDEPENDENT_CODE ON)
endif()

if(PROJECT_IS_TOP_LEVEL)
  if(NOT CMAKE_BUILD_TYPE)
    set(CMAKE_BUILD_TYPE Release CACHE STRING "" FORCE)
  endif()
  # -O3 for the decoder alone: elsewhere it gains nothing, and g++ 12 then warns of copies that cannot be.
  set(CMAKE_CXX_FLAGS_RELEASE "-O2 -DNDEBUG")
  find_program(CCACHE ccache)
  if(CCACHE AND NOT CMAKE_CXX_COMPILER_LAUNCHER)
    # Precompiled headers are kept too, and what uses them. ccache takes one for the same where only comments or macros of
    # what it includes changed; g++ then includes that once more, as "#pragma once" goes by its bytes. So these count too.
    file(GLOB_RECURSE precompiled_headers CONFIGURE_DEPENDS ${PROJECT_SOURCE_DIR}/include/*.hpp ${PROJECT_SOURCE_DIR}/tests/catch.hpp)
    list(JOIN precompiled_headers ":" precompiled_headers)
    set(CMAKE_CXX_COMPILER_LAUNCHER ${CMAKE_COMMAND} -E env CCACHE_SLOPPINESS=pch_defines,time_macros
                                    CCACHE_EXTRAFILES=${precompiled_headers} ${CCACHE})
    if(CMAKE_CXX_COMPILER_ID STREQUAL "GNU")
      add_compile_options(-fpch-preprocess)
    else()
      add_compile_options("SHELL:-Xclang -fno-pch-timestamp")
    endif()
  endif()
endif()

add_library(plex_build_flags INTERFACE)
target_compile_features(plex_build_flags INTERFACE cxx_std_20)
target_compile_definitions(plex_build_flags INTERFACE BOOST_ASIO_NO_DEPRECATED BOOST_ALLOW_DEPRECATED_HEADERS)
target_compile_options(plex_build_flags INTERFACE -Wall -Wextra -Wpedantic -Wconversion -Wshadow)
if(PLEX_WARNINGS_AS_ERRORS)
  target_compile_options(plex_build_flags INTERFACE -Werror)
endif()
if(CMAKE_CXX_COMPILER_ID STREQUAL "GNU")
  # g++ 12 reports a mismatch that is not there for coroutine frames with Asio's allocator.
  target_compile_options(plex_build_flags INTERFACE -Wno-mismatched-new-delete)
  if(CMAKE_CXX_COMPILER_VERSION VERSION_LESS 13)
    # Optimised, it sees std::string's short form overrun where two strings are added or one is moved; it never is.
    target_compile_options(plex_build_flags INTERFACE
                           "$<$<CONFIG:Release>:-Wno-array-bounds;-Wno-restrict;-Wno-stringop-overflow;-Wno-stringop-overread>")
  endif()
endif()
if(CMAKE_CXX_COMPILER_ID STREQUAL "Clang" AND PROJECT_IS_TOP_LEVEL)
  # Lines are enough for a trace, and a quarter of the time to compile less; the preset dev has everything for a debugger.
  # Debian 12's valgrind, by which instructions are counted, does not read what clang 19 writes by default.
  set(CMAKE_CXX_FLAGS_DEBUG "-g1 -gdwarf-4")
endif()
if(PLEX_SANITIZE)
  add_compile_options(-fsanitize=${PLEX_SANITIZE} -fno-omit-frame-pointer -g1) # as above
  add_link_options(-fsanitize=${PLEX_SANITIZE})
  if(PLEX_SANITIZE MATCHES "thread" AND CMAKE_CXX_COMPILER_ID STREQUAL "GNU")
    # Asio's fences are not understood by g++'s thread sanitizer, which says so for each of them.
    add_compile_options(-Wno-tsan)
  elseif(PLEX_SANITIZE MATCHES "thread" AND CMAKE_CXX_COMPILER_ID STREQUAL "Clang")
    # A program may have an operator new of its own beside the shared runtime alone.
    execute_process(COMMAND ${CMAKE_CXX_COMPILER} -print-file-name=libclang_rt.tsan-${CMAKE_SYSTEM_PROCESSOR}.so
                    OUTPUT_VARIABLE runtime OUTPUT_STRIP_TRAILING_WHITESPACE)
    get_filename_component(runtime ${runtime} DIRECTORY)
    add_link_options(-shared-libsan -Wl,-rpath,${runtime})
  endif()
  if(PLEX_SANITIZE MATCHES "undefined")
    add_compile_options(-fno-sanitize-recover=undefined)
    if(CMAKE_CXX_COMPILER_ID STREQUAL "Clang")
      add_compile_options(-fno-sanitize=function)
    endif()
  endif()
endif()
if(PLEX_COVERAGE)
  add_compile_options(-fprofile-instr-generate -fcoverage-mapping)
  add_link_options(-fprofile-instr-generate)
endif()
if(PLEX_FUZZ)
  add_compile_options(-fsanitize=fuzzer-no-link)
  add_compile_definitions(PLEX_FUZZ)
endif()
