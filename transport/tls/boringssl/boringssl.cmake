# Defines boringssl::crypto and boringssl::ssl: from BORINGSSL_ROOT, or from ./provide, which fetches, checks, builds and caches.
if(BORINGSSL_ROOT)
  set(boringssl_prefix "${BORINGSSL_ROOT}")
else()
  set(boringssl_flavour release)
  if(WAXWING_SANITIZE MATCHES "thread")
    set(boringssl_flavour tsan) # reference counts inside BoringSSL look like races unless they are instrumented too
  endif()
  execute_process(COMMAND "${CMAKE_CURRENT_LIST_DIR}/provide" --flavour ${boringssl_flavour}
    OUTPUT_VARIABLE boringssl_prefix OUTPUT_STRIP_TRAILING_WHITESPACE RESULT_VARIABLE boringssl_failed)
  if(boringssl_failed)
    message(FATAL_ERROR "BoringSSL could not be provided; the lines above say why. "
      "Fix that, or pass -DBORINGSSL_ROOT=PREFIX with include/, lib/libssl.a and lib/libcrypto.a.")
  endif()
endif()
foreach(library crypto ssl)
  if(NOT EXISTS "${boringssl_prefix}/lib/lib${library}.a")
    message(FATAL_ERROR "no lib/lib${library}.a in BORINGSSL_ROOT '${boringssl_prefix}'")
  endif()
  add_library(boringssl::${library} STATIC IMPORTED GLOBAL)
  set_target_properties(boringssl::${library} PROPERTIES
    IMPORTED_LOCATION "${boringssl_prefix}/lib/lib${library}.a"
    INTERFACE_INCLUDE_DIRECTORIES "${boringssl_prefix}/include")
endforeach()
target_link_libraries(boringssl::crypto INTERFACE Threads::Threads)
target_link_libraries(boringssl::ssl INTERFACE boringssl::crypto)
