// SPDX-License-Identifier: BSD-3-Clause
// TlsContext: certificate, key and rules of TLS connections, as OpenSSL keeps them. Made anew for
// each change of the options; connections keep the one they began with. Engine thread.
#pragma once

#include <cstdint>
#include <memory>
#include <string>

#include "base/result.h"
#include "net/transport.h"

struct ssl_ctx_st;

namespace backplane {

enum class TlsClientAuth : uint8_t { kNo, kYes, kOptional };

// Files are PEM, "" is none.
struct TlsOptions {
  std::string cert_file;  // with the chain behind it
  std::string key_file;
  std::string key_file_pass;
  // The pair that the server shows when it is the client. Only checked: it opens no connections
  // yet.
  std::string client_cert_file;
  std::string client_key_file;
  std::string client_key_file_pass;
  std::string dh_params_file;
  std::string ca_cert_file;
  std::string ca_cert_dir;
  std::string protocols;     // words; empty: TLS 1.2 and 1.3
  std::string ciphers;       // up to TLS 1.2
  std::string ciphersuites;  // TLS 1.3
  TlsClientAuth auth_clients = TlsClientAuth::kYes;
  bool prefer_server_ciphers = false;
  bool session_caching = true;
  int64_t session_cache_size = 0;     // 0: no limit
  int64_t session_cache_timeout = 0;  // seconds
};

class TlsContext {
 public:
  // Reads the files. The error is a line for the log, with OpenSSL's reason.
  static Result<std::unique_ptr<TlsContext>> Make(const TlsOptions& options);
  ~TlsContext();
  TlsContext(const TlsContext&) = delete;
  TlsContext& operator=(const TlsContext&) = delete;

  // For an accepted socket, which stays the caller's. nullptr when memory is short. The transport
  // may outlive the context.
  std::unique_ptr<Transport> Accept(int fd) const;

 private:
  explicit TlsContext(ssl_ctx_st* context) : context_(context) {}
  ssl_ctx_st* context_;
};

}  // namespace backplane
