#include "relay/signing/signer_client.h"

#include <fmt/format.h>
#include <sys/socket.h>
#include <sys/un.h>
#include <unistd.h>

#include <algorithm>
#include <array>
#include <cerrno>
#include <cstring>
#include <iterator>
#include <system_error>
#include <utility>

namespace waxwing {
namespace {

// Keys may change between two pages of the list; then it is asked for anew.
constexpr int kMaxListings = 5;
constexpr std::size_t kMaxKeys = 200'000;
constexpr std::size_t kMaxBuffer = 16'384;

/// A key that another process keeps.
class RemoteKey : public Signer {
 public:
  RemoteKey(std::shared_ptr<SignerClient> client, ListedKey key) : client_(std::move(client)), key_(std::move(key)) {}

  [[nodiscard]] DkimKeyType type() const override { return key_.type; }
  [[nodiscard]] unsigned size_bits() const override { return key_.size_bits; }
  [[nodiscard]] std::string public_key() const override { return key_.public_key; }
  [[nodiscard]] Result<std::string> sign_for(std::string_view tenant, std::string_view header_octets) const override;
  [[nodiscard]] Result<std::vector<std::string>> sign_together(std::string_view tenant,
                                                               std::span<const SignatureTask> tasks) const override;

 private:
  [[nodiscard]] Result<SignRequest> request(std::string_view tenant, std::string_view header_octets) const;

  std::shared_ptr<SignerClient> client_;
  ListedKey key_;
};

Result<SignRequest> RemoteKey::request(std::string_view tenant, std::string_view header_octets) const {
  if (header_octets.size() > kMaxOctetsToSign || tenant.size() > 255)
    return fail(ErrorKind::Malformed, "the header is too long to be signed");
  return SignRequest{key_.domain, key_.selector, std::string(tenant), std::string(header_octets)};
}

Result<std::string> RemoteKey::sign_for(std::string_view tenant, std::string_view header_octets) const {
  const std::array<SignatureTask, 1> task{{{this, header_octets}}};
  auto signatures = sign_together(tenant, task);
  if (!signatures) return tl::unexpected(signatures.error());
  return std::move(signatures->front());
}

Result<std::vector<std::string>> RemoteKey::sign_together(std::string_view tenant,
                                                          std::span<const SignatureTask> tasks) const {
  std::vector<SignRequest> requests;
  for (const SignatureTask& task : tasks) {
    const auto* key = dynamic_cast<const RemoteKey*>(task.key);
    if (key == nullptr || key->client_ != client_ || requests.size() == SignerClient::kMaxTogether)
      return Signer::sign_together(tenant, tasks);
    auto wanted = key->request(tenant, task.header_octets);
    if (!wanted) return tl::unexpected(wanted.error());
    requests.push_back(std::move(*wanted));
  }
  return client_->sign(requests);
}

bool send_all(int descriptor, std::string_view octets) {
  while (!octets.empty()) {
    const ssize_t count = ::send(descriptor, octets.data(), octets.size(), MSG_NOSIGNAL);
    if (count < 0 && errno == EINTR) continue;
    if (count < 0) return false;
    octets.remove_prefix(static_cast<std::size_t>(count));
  }
  return true;
}

Error unexpected_answer() {
  return {ErrorKind::Unavailable, "the signer answered something else than it was asked"};
}

}  // namespace

SignerClient::~SignerClient() {
  for (const int descriptor : idle_) ::close(descriptor);
}

Result<int> SignerClient::connect() const {
  sockaddr_un address{};
  address.sun_family = AF_UNIX;
  if (socket_path_.size() >= sizeof address.sun_path)
    return fail(ErrorKind::Malformed, fmt::format("the path '{}' is too long for a socket", socket_path_));
  std::memcpy(address.sun_path, socket_path_.data(), socket_path_.size());
  const int descriptor = ::socket(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0);
  const timeval timeout{kTimeout.count(), 0};
  const bool ready = descriptor >= 0 &&
                     ::setsockopt(descriptor, SOL_SOCKET, SO_RCVTIMEO, &timeout, sizeof timeout) == 0 &&
                     ::setsockopt(descriptor, SOL_SOCKET, SO_SNDTIMEO, &timeout, sizeof timeout) == 0 &&
                     ::connect(descriptor, reinterpret_cast<const sockaddr*>(&address), sizeof address) == 0;
  if (ready) return descriptor;
  const int error = errno;
  if (descriptor >= 0) ::close(descriptor);
  return fail(ErrorKind::Unavailable,
              fmt::format("the signer does not answer on '{}': {}; see 'systemctl status waxwing-signer'", socket_path_,
                          std::system_category().message(error)));
}

Result<std::vector<SigningAnswer>> SignerClient::ask_on(int descriptor, const std::string& frames,
                                                        std::size_t count) const {
  const auto lost = [this](std::string_view why) {
    return fail(ErrorKind::Unavailable, fmt::format("the signer on '{}' {}", socket_path_, why));
  };
  if (!send_all(descriptor, frames)) return lost("does not take requests");
  FrameReader reader;
  std::array<char, kMaxBuffer> buffer;
  std::vector<SigningAnswer> answers;
  while (answers.size() < count) {
    const auto answer = reader.next();
    if (!answer) return lost(answer.error().detail);
    if (*answer) {
      auto decoded = decode_answer(**answer);
      if (!decoded) return lost(decoded.error().detail);
      if (decoded->id == answers.size() + 1) {
        answers.push_back(std::move(decoded->content));
        continue;
      }
      // Of a frame that the signer could not read it does not know the number: it is of another version.
      const auto* refused = std::get_if<RefusedAnswer>(&decoded->content);
      return lost(refused == nullptr ? "answered another request" : "does not understand: " + refused->error.detail);
    }
    const ssize_t received = ::recv(descriptor, buffer.data(), buffer.size(), 0);
    if (received < 0 && errno == EINTR) continue;
    if (received < 0 && errno == EAGAIN) return lost("does not answer in time");
    if (received <= 0) return lost("closed the connection");
    reader.append({buffer.data(), static_cast<std::size_t>(received)});
  }
  return answers;
}

// What a connection brings that was idle says little: the signer may have been restarted since. A signature that is made
// twice does no harm.
Result<std::vector<SigningAnswer>> SignerClient::ask(const std::vector<SigningRequest>& requests) {
  std::string frames;
  for (std::size_t i = 0; i < requests.size(); ++i)
    frames += encode_request(static_cast<std::uint32_t>(i + 1), requests[i]);
  while (true) {
    int descriptor = -1;
    {
      const std::lock_guard lock(mutex_);
      if (!idle_.empty()) {
        descriptor = idle_.back();
        idle_.pop_back();
      }
    }
    const bool is_fresh = descriptor < 0;
    if (is_fresh) {
      const auto connected = connect();
      if (!connected) return tl::unexpected(connected.error());
      descriptor = *connected;
    }
    auto answers = ask_on(descriptor, frames, requests.size());
    if (answers) {
      const std::lock_guard lock(mutex_);
      idle_.push_back(descriptor);
      return answers;
    }
    ::close(descriptor);
    if (is_fresh) return answers;
  }
}

Result<std::vector<std::string>> SignerClient::sign(std::vector<SignRequest> requests) {
  auto answers = ask({std::make_move_iterator(requests.begin()), std::make_move_iterator(requests.end())});
  if (!answers) return tl::unexpected(answers.error());
  std::vector<std::string> signatures;
  for (SigningAnswer& answer : *answers) {
    if (auto* refused = std::get_if<RefusedAnswer>(&answer)) return tl::unexpected(std::move(refused->error));
    auto* signature = std::get_if<SignatureAnswer>(&answer);
    if (signature == nullptr) return tl::unexpected(unexpected_answer());
    signatures.push_back(std::move(signature->signature));
  }
  return signatures;
}

Result<ListAnswer> SignerClient::list_page(std::uint64_t known_generation, std::size_t first) {
  auto answers = ask({ListRequest{known_generation, static_cast<std::uint32_t>(first)}});
  if (!answers) return tl::unexpected(answers.error());
  if (auto* refused = std::get_if<RefusedAnswer>(&answers->front())) return tl::unexpected(std::move(refused->error));
  auto* page = std::get_if<ListAnswer>(&answers->front());
  if (page == nullptr || page->total > kMaxKeys) return tl::unexpected(unexpected_answer());
  return std::move(*page);
}

Result<ListAnswer> SignerClient::list(std::uint64_t known_generation) {
  for (int i = 0; i < kMaxListings; ++i) {
    auto all = list_page(known_generation, 0);
    if (!all || all->generation == known_generation) return all;
    bool whole = true;
    while (whole && all->keys.size() < all->total) {
      auto page = list_page(all->generation, all->keys.size());
      if (!page) return page;
      whole = page->generation == all->generation && !page->keys.empty();
      std::move(page->keys.begin(), page->keys.end(), std::back_inserter(all->keys));
    }
    if (whole) return all;
  }
  return fail(ErrorKind::Unavailable, "the keys of the signer change faster than they can be listed");
}

Result<std::vector<StoredKey>> RemoteKeyStore::load_all() {
  auto listed = client_->list(0);
  if (!listed) return tl::unexpected(listed.error());
  std::vector<StoredKey> keys;
  keys.reserve(listed->keys.size());
  for (ListedKey& key : listed->keys) {
    DomainName domain = key.domain;
    std::string selector = key.selector;
    const WallTime created = key.created;
    keys.push_back(
        {std::move(domain), std::move(selector), std::make_shared<const RemoteKey>(client_, std::move(key)), created});
  }
  generation_ = listed->generation;
  return keys;
}

Result<bool> RemoteKeyStore::has_changed() {
  const auto listed = client_->list(generation_);
  if (!listed) return tl::unexpected(listed.error());
  return listed->generation != generation_;
}

Result<void> RemoteKeyStore::add(const DomainName&, std::string_view, const SigningKey&, WallTime) {
  return fail(ErrorKind::Denied, "the signer takes no keys over its socket; make them with 'waxwing keys create'");
}

}  // namespace waxwing
