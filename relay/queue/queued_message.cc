#include "relay/queue/queued_message.h"

#include <array>
#include <atomic>
#include <chrono>

namespace waxwing {
namespace {

constexpr std::string_view kAlphabet = "0123456789ABCDEFGHJKMNPQRSTVWXYZ";  // Crockford: without I, L, O, U
constexpr std::size_t kIdCharacters = 13;
constexpr unsigned kBitsPerCharacter = 5;
constexpr unsigned kSequenceBits = 22;
constexpr std::uint64_t kSequenceMask = (1ULL << kSequenceBits) - 1;
constexpr std::uint64_t kMaxId = (1ULL << 63) - 1;
constexpr WallTime kEpoch = std::chrono::sys_days{std::chrono::year{2020} / 1 / 1};

// Value of a character, or -1.
int digit_value(char c) {
  if (c >= 'a' && c <= 'z') c = static_cast<char>(c - 'a' + 'A');
  if (c == 'O') c = '0';
  if (c == 'I' || c == 'L') c = '1';
  const std::size_t position = kAlphabet.find(c);
  return position == std::string_view::npos ? -1 : static_cast<int>(position);
}

}  // namespace

Result<QueueId> QueueId::parse(std::string_view text) {
  if (text.size() != kIdCharacters) return fail(ErrorKind::Malformed, "a queue id has 13 characters");
  std::uint64_t value = 0;
  for (const char c : text) {
    const int digit = digit_value(c);
    if (digit < 0) return fail(ErrorKind::Malformed, "a queue id is made of digits and letters other than U");
    if (value > kMaxId >> kBitsPerCharacter) return fail(ErrorKind::Malformed, "the queue id is out of range");
    value = value << kBitsPerCharacter | static_cast<std::uint64_t>(digit);
  }
  return QueueId(value);
}

std::string QueueId::str() const {
  std::string text(kIdCharacters, '0');
  std::uint64_t rest = value_;
  for (std::size_t i = kIdCharacters; i-- > 0; rest >>= kBitsPerCharacter) {
    text[i] = kAlphabet[rest & ((1U << kBitsPerCharacter) - 1)];
  }
  return text;
}

struct QueueIdSource::State {
  std::atomic<std::uint64_t> last{0};
  std::uint64_t start = 0;
};

QueueIdSource::QueueIdSource(std::uint32_t seed) : state_(std::make_shared<State>()) {
  state_->start = seed & (kSequenceMask >> 1);  // the upper half is left for counting within one millisecond
}

QueueId QueueIdSource::next(WallTime now) {
  const auto since_epoch = now < kEpoch ? Milliseconds{0} : now - kEpoch;
  const std::uint64_t fresh =
      (static_cast<std::uint64_t>(since_epoch.count()) << kSequenceBits | state_->start) & kMaxId;
  std::uint64_t last = state_->last.load();
  std::uint64_t id = 0;
  do {
    // Within one millisecond, and when the clock steps back, ids go on from the last one.
    id = fresh > last ? fresh : last + 1;
  } while (!state_->last.compare_exchange_weak(last, id));
  return QueueId(id);
}

std::string_view recipient_state_name(RecipientState state) {
  switch (state) {
    case RecipientState::Queued:
      return "queued";
    case RecipientState::Deferred:
      return "deferred";
    case RecipientState::Held:
      return "held";
    case RecipientState::Delivered:
      return "delivered";
    case RecipientState::Bounced:
      return "bounced";
    case RecipientState::Expired:
      return "expired";
    case RecipientState::Dropped:
      return "dropped";
  }
  return "queued";
}

bool is_final(RecipientState state) {
  return state != RecipientState::Queued && state != RecipientState::Deferred && state != RecipientState::Held;
}

}  // namespace waxwing
