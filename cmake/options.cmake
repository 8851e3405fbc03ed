# Build options and the flags that every target shares.
option(BACKPLANE_TESTS "Build unit tests" ON)
option(BACKPLANE_FUZZERS "Build the fuzzers (clang only)" OFF)
set(BACKPLANE_SANITIZE "" CACHE STRING "'' | address | thread")

set(CMAKE_CXX_STANDARD 23)
set(CMAKE_CXX_STANDARD_REQUIRED ON)
set(CMAKE_CXX_EXTENSIONS OFF)
set(CMAKE_C_STANDARD 11)
set(CMAKE_EXPORT_COMPILE_COMMANDS ON)
if(NOT CMAKE_BUILD_TYPE)
  set(CMAKE_BUILD_TYPE Release)
endif()
# Frame pointers cost under 1 % and make every profile and crash report readable.
set(CMAKE_CXX_FLAGS_RELEASE "-O2 -g1 -DNDEBUG")
set(CMAKE_C_FLAGS_RELEASE "-O2 -g1 -DNDEBUG")
set(CMAKE_CXX_FLAGS_DEBUG "-O1 -g1")
set(CMAKE_C_FLAGS_DEBUG "-O1 -g1")

find_program(CCACHE_PROGRAM ccache)
if(CCACHE_PROGRAM)
  set(CMAKE_C_COMPILER_LAUNCHER ${CCACHE_PROGRAM})
  set(CMAKE_CXX_COMPILER_LAUNCHER ${CCACHE_PROGRAM})
endif()

add_library(backplane_flags INTERFACE)
target_compile_options(backplane_flags INTERFACE
  -Wall -Wextra -Wpedantic -Wshadow -Wno-unused-parameter
  -Wno-missing-field-initializers -Werror -fno-omit-frame-pointer
  $<$<COMPILE_LANGUAGE:CXX>:-Wnon-virtual-dtor -Woverloaded-virtual>)
target_include_directories(backplane_flags INTERFACE ${PROJECT_SOURCE_DIR}/src)
if(BACKPLANE_SANITIZE STREQUAL "address")
  target_compile_options(backplane_flags INTERFACE -fsanitize=address,undefined
    -fno-sanitize-recover=undefined)
  target_link_options(backplane_flags INTERFACE -fsanitize=address,undefined)
elseif(BACKPLANE_SANITIZE STREQUAL "thread")
  target_compile_options(backplane_flags INTERFACE -fsanitize=thread)
  target_link_options(backplane_flags INTERFACE -fsanitize=thread)
elseif(NOT BACKPLANE_SANITIZE STREQUAL "")
  message(FATAL_ERROR "BACKPLANE_SANITIZE: '', 'address' or 'thread'")
endif()
