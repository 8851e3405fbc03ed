// SPDX-License-Identifier: BSD-3-Clause
// TlsContext: from options to an SSL_CTX. The texts of failures are those that Redis logs.
#include "net/tls_context.h"

#include <openssl/bio.h>
#include <openssl/err.h>
#include <openssl/evp.h>
#include <openssl/pem.h>
#include <openssl/ssl.h>

#include <array>
#include <cerrno>
#include <climits>
#include <cstring>

#include "base/ascii.h"
#include "net/tls_transport.h"

namespace backplane {
namespace {

std::unexpected<Error> Bad(std::string text) {
  return Fail(ErrorCode::kInvalidArgument, std::move(text));
}

struct Version {
  std::string_view name;
  int number;
  uint64_t off;  // the SSL_CTX option that excludes it
  bool by_default;
};
constexpr std::array<Version, 4> kVersions = {{
    {"TLSv1", TLS1_VERSION, SSL_OP_NO_TLSv1, false},
    {"TLSv1.1", TLS1_1_VERSION, SSL_OP_NO_TLSv1_1, false},
    {"TLSv1.2", TLS1_2_VERSION, SSL_OP_NO_TLSv1_2, true},
    {"TLSv1.3", TLS1_3_VERSION, SSL_OP_NO_TLSv1_3, true},
}};

// The bounds are set too: the system's OpenSSL configuration has bounds of its own, which would
// win over what the options ask for.
Status SetVersions(SSL_CTX* context, const std::string& words) {
  std::array<bool, kVersions.size()> wanted{};
  bool any = false;
  size_t at = 0;
  while (at < words.size()) {
    const size_t end = std::min(words.find(' ', at), words.size());
    const std::string_view word(words.data() + at, end - at);
    at = end + 1;
    if (word.empty()) continue;
    bool known = false;
    for (size_t i = 0; i < kVersions.size(); ++i) {
      if (!EqualsIgnoreCase(word, kVersions[i].name)) continue;
      known = wanted[i] = any = true;
    }
    if (!known) {
      return Bad(
          "Invalid tls-protocols specified. Use a combination of 'TLSv1', 'TLSv1.1', 'TLSv1.2' and "
          "'TLSv1.3'.");
    }
  }
  int lowest = 0;
  int highest = 0;
  for (size_t i = 0; i < kVersions.size(); ++i) {
    const bool on = any ? wanted[i] : kVersions[i].by_default;
    if (!on) {
      SSL_CTX_set_options(context, kVersions[i].off);
      continue;
    }
    if (lowest == 0) lowest = kVersions[i].number;
    highest = kVersions[i].number;
  }
  SSL_CTX_set_min_proto_version(context, lowest);
  SSL_CTX_set_max_proto_version(context, highest);
  return {};
}

// OpenSSL asks for the password of a key. Without this it would ask at the terminal.
int GivePassword(char* buffer, int size, int /*for_writing*/, void* user_data) {
  const auto& password = *static_cast<const std::string*>(user_data);
  if (password.empty() || password.size() > static_cast<size_t>(size)) return -1;
  password.copy(buffer, password.size());
  return static_cast<int>(password.size());
}

Status UsePair(SSL_CTX* context, const std::string& cert_file, const std::string& key_file,
               const std::string& password) {
  ERR_clear_error();
  if (SSL_CTX_use_certificate_chain_file(context, cert_file.c_str()) != 1)
    return Bad("Failed to load certificate: " + cert_file + ": " + TakeOpenSslError());
  std::string copy = password;
  SSL_CTX_set_default_passwd_cb(context, GivePassword);
  SSL_CTX_set_default_passwd_cb_userdata(context, &copy);
  const bool loaded = SSL_CTX_use_PrivateKey_file(context, key_file.c_str(), SSL_FILETYPE_PEM) == 1;
  SSL_CTX_set_default_passwd_cb_userdata(context, nullptr);
  SSL_CTX_set_default_passwd_cb(context, nullptr);
  if (!loaded) return Bad("Failed to load private key: " + key_file + ": " + TakeOpenSslError());
  return {};
}

Status UseAuthorities(SSL_CTX* context, const TlsOptions& options) {
  const auto name = [](const std::string& path) { return path.empty() ? nullptr : path.c_str(); };
  if (options.ca_cert_file.empty() && options.ca_cert_dir.empty()) {
    if (options.auth_clients == TlsClientAuth::kNo) return {};
    return Bad(
        "Either tls-ca-cert-file or tls-ca-cert-dir must be specified when tls-cluster, "
        "tls-replication or tls-auth-clients are enabled!");
  }
  ERR_clear_error();
  if (SSL_CTX_load_verify_locations(context, name(options.ca_cert_file),
                                    name(options.ca_cert_dir)) != 1) {
    return Bad("Failed to configure CA certificate(s) file/directory: " + TakeOpenSslError());
  }
  return {};
}

Status UseDhParameters(SSL_CTX* context, const std::string& path) {
  if (path.empty()) {
    SSL_CTX_set_dh_auto(context, 1);
    return {};
  }
  ERR_clear_error();
  BIO* file = BIO_new_file(path.c_str(), "r");
  if (file == nullptr) {
    const int saved_errno = errno;
    ERR_clear_error();
    return Bad("Failed to load " + path + ": " + std::strerror(saved_errno));
  }
  EVP_PKEY* parameters = PEM_read_bio_Parameters(file, nullptr);
  BIO_free(file);
  if (parameters == nullptr) return Bad("Failed to read DH params file: " + TakeOpenSslError());
  // Takes the parameters when it accepts them.
  if (SSL_CTX_set0_tmp_dh_pkey(context, parameters) == 1) return {};
  EVP_PKEY_free(parameters);
  return Bad("Failed to load DH params file: " + TakeOpenSslError());
}

Status UseCiphers(SSL_CTX* context, const TlsOptions& options) {
  ERR_clear_error();
  if (!options.ciphers.empty() && SSL_CTX_set_cipher_list(context, options.ciphers.c_str()) != 1) {
    ERR_clear_error();
    return Bad("Failed to configure ciphers: " + options.ciphers);
  }
  if (!options.ciphersuites.empty() &&
      SSL_CTX_set_ciphersuites(context, options.ciphersuites.c_str()) != 1) {
    ERR_clear_error();
    return Bad("Failed to configure ciphersuites: " + options.ciphersuites);
  }
  if (options.prefer_server_ciphers) SSL_CTX_set_options(context, SSL_OP_CIPHER_SERVER_PREFERENCE);
  return {};
}

void UseSessions(SSL_CTX* context, const TlsOptions& options) {
  if (!options.session_caching) {
    SSL_CTX_set_session_cache_mode(context, SSL_SESS_CACHE_OFF);
    // Tickets are a cache that the client keeps.
    SSL_CTX_set_options(context, SSL_OP_NO_TICKET);
    SSL_CTX_set_num_tickets(context, 0);
    return;
  }
  constexpr unsigned char kId[] = "backplane";
  SSL_CTX_set_session_cache_mode(context, SSL_SESS_CACHE_SERVER);
  SSL_CTX_sess_set_cache_size(context, static_cast<long>(options.session_cache_size));
  SSL_CTX_set_timeout(context, static_cast<long>(options.session_cache_timeout));
  // Without it OpenSSL refuses sessions that it should take up again from clients with
  // certificates.
  SSL_CTX_set_session_id_context(context, kId, sizeof(kId) - 1);
}

int VerifyMode(TlsClientAuth auth) {
  switch (auth) {
    case TlsClientAuth::kNo:
      return SSL_VERIFY_NONE;
    case TlsClientAuth::kOptional:
      return SSL_VERIFY_PEER;
    case TlsClientAuth::kYes:
      break;
  }
  return SSL_VERIFY_PEER | SSL_VERIFY_FAIL_IF_NO_PEER_CERT;
}

// The pair for outgoing connections is tried on a context that goes again.
Status CheckClientPair(const TlsOptions& options) {
  if (options.client_cert_file.empty() || options.client_key_file.empty()) return {};
  SSL_CTX* context = SSL_CTX_new(TLS_client_method());
  if (context == nullptr) return Bad("Unable to create SSL context: " + TakeOpenSslError());
  Status status = UsePair(context, options.client_cert_file, options.client_key_file,
                          options.client_key_file_pass);
  SSL_CTX_free(context);
  return status;
}

Status Fill(SSL_CTX* context, const TlsOptions& options) {
  SSL_CTX_set_options(context, SSL_OP_NO_COMPRESSION | SSL_OP_NO_RENEGOTIATION |
                                   SSL_OP_SINGLE_DH_USE | SSL_OP_SINGLE_ECDH_USE);
  SSL_CTX_set_mode(context, SSL_MODE_ENABLE_PARTIAL_WRITE | SSL_MODE_ACCEPT_MOVING_WRITE_BUFFER |
                                SSL_MODE_RELEASE_BUFFERS);
  // One system call for a record instead of two; TlsTransport looks at what is left behind it.
  SSL_CTX_set_read_ahead(context, 1);
  BP_RETURN_IF_ERROR(SetVersions(context, options.protocols));
  SSL_CTX_set_verify(context, VerifyMode(options.auth_clients), nullptr);
  BP_RETURN_IF_ERROR(UsePair(context, options.cert_file, options.key_file, options.key_file_pass));
  BP_RETURN_IF_ERROR(UseAuthorities(context, options));
  BP_RETURN_IF_ERROR(UseDhParameters(context, options.dh_params_file));
  BP_RETURN_IF_ERROR(UseCiphers(context, options));
  UseSessions(context, options);
  return CheckClientPair(options);
}

}  // namespace

Result<std::unique_ptr<TlsContext>> TlsContext::Make(const TlsOptions& options) {
  if (options.cert_file.empty()) return Bad("No tls-cert-file configured!");
  if (options.key_file.empty()) return Bad("No tls-key-file configured!");
  SSL_CTX* context = SSL_CTX_new(TLS_server_method());
  if (context == nullptr) return Bad("Unable to create SSL context: " + TakeOpenSslError());
  std::unique_ptr<TlsContext> made(new TlsContext(context));
  BP_RETURN_IF_ERROR(Fill(context, options));
  return made;
}

TlsContext::~TlsContext() { SSL_CTX_free(context_); }

std::unique_ptr<Transport> TlsContext::Accept(int fd) const {
  SSL* session = SSL_new(context_);
  if (session == nullptr || SSL_set_fd(session, fd) != 1) {
    SSL_free(session);
    ERR_clear_error();
    return nullptr;
  }
  SSL_set_accept_state(session);
  return std::make_unique<TlsTransport>(session);
}

}  // namespace backplane
