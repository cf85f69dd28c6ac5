#pragma once

#include <cstddef>
#include <cstdint>
#include <memory>
#include <mutex>
#include <string>
#include <vector>

#include "keys/key_store.h"
#include "policy/result.h"
#include "policy/time_point.h"
#include "signer/service/signing_protocol.h"

namespace waxwing {

/// Asks waxwing-signer, over as many connections as there are threads that ask at the same time. A connection that died
/// while nobody used it is opened anew unseen. Thread-safe; calls wait for the answer, so that they belong into a pool.
class SignerClient {
 public:
  static constexpr Seconds kTimeout{10};           ///< for one answer
  static constexpr std::size_t kMaxTogether = 16;  ///< requests whose answers have room in the buffers of a socket

  /// @param socket_path  at most 107 octets
  explicit SignerClient(std::string socket_path) : socket_path_(std::move(socket_path)) {}
  ~SignerClient();
  SignerClient(const SignerClient&) = delete;
  SignerClient& operator=(const SignerClient&) = delete;

  /// Has several signatures made, all asked for at once.
  /// @param requests  at most kMaxTogether
  /// @return  raw signatures in the order of the requests
  /// @errors  Unavailable: the signer does not answer, or not as it should; otherwise as it refuses the first that it does
  [[nodiscard]] Result<std::vector<std::string>> sign(std::vector<SignRequest> requests);

  /// The public halves of all keys.
  /// @param known_generation  of the answer before; 0: none
  /// @return  no keys under the known generation: nothing has changed
  /// @errors  as sign()
  [[nodiscard]] Result<ListAnswer> list(std::uint64_t known_generation);

 private:
  [[nodiscard]] Result<std::vector<SigningAnswer>> ask(const std::vector<SigningRequest>& requests);
  [[nodiscard]] Result<std::vector<SigningAnswer>> ask_on(int descriptor, const std::string& frames,
                                                          std::size_t count) const;
  [[nodiscard]] Result<int> connect() const;
  [[nodiscard]] Result<ListAnswer> list_page(std::uint64_t known_generation, std::size_t first);

  std::string socket_path_;
  std::mutex mutex_;
  std::vector<int> idle_;  ///< connections that nobody uses now
};

/// The keys of waxwing-signer as a KeyStore: each signs over there.
class RemoteKeyStore : public KeyStore {
 public:
  explicit RemoteKeyStore(std::string socket_path) : client_(std::make_shared<SignerClient>(std::move(socket_path))) {}

  /// @errors  as SignerClient
  [[nodiscard]] Result<std::vector<StoredKey>> load_all() override;

  /// Whether the keys are other ones than load_all() gave last.
  /// @errors  as SignerClient
  [[nodiscard]] Result<bool> has_changed();

  /// @errors  Denied: keys are made where they are kept
  [[nodiscard]] Result<void> add(const DomainName& domain, std::string_view selector, const SigningKey& key,
                                 WallTime created) override;

 private:
  std::shared_ptr<SignerClient> client_;
  std::uint64_t generation_ = 0;
};

}  // namespace waxwing
