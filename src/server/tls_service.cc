// SPDX-License-Identifier: BSD-3-Clause
// TlsService: from settings to a context.
#include "server/tls_service.h"

#include <utility>

namespace backplane {

Status TlsService::Prepare(const TlsSettings& settings) {
  TlsOptions options;
  options.cert_file = settings.cert_file;
  options.key_file = settings.key_file;
  options.key_file_pass = settings.key_file_pass;
  options.client_cert_file = settings.client_cert_file;
  options.client_key_file = settings.client_key_file;
  options.client_key_file_pass = settings.client_key_file_pass;
  options.dh_params_file = settings.dh_params_file;
  options.ca_cert_file = settings.ca_cert_file;
  options.ca_cert_dir = settings.ca_cert_dir;
  options.protocols = settings.protocols;
  options.ciphers = settings.ciphers;
  options.ciphersuites = settings.ciphersuites;
  options.auth_clients = static_cast<TlsClientAuth>(settings.auth_clients);
  options.prefer_server_ciphers = settings.prefer_server_ciphers;
  options.session_caching = settings.session_caching;
  options.session_cache_size = settings.session_cache_size;
  options.session_cache_timeout = settings.session_cache_timeout;
  BP_ASSIGN_OR_RETURN(prepared_, TlsContext::Make(options));
  return {};
}

void TlsService::Commit() {
  if (prepared_ != nullptr) context_ = std::move(prepared_);
}

std::unique_ptr<Transport> TlsService::Accept(int fd) {
  return context_ == nullptr ? nullptr : context_->Accept(fd);
}

bool TlsService::IsContextOption(std::string_view name) {
  return name.starts_with("tls-") && name != "tls-port";
}

}  // namespace backplane
