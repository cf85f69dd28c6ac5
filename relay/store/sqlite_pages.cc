#include "relay/store/sqlite_pages.h"

#include <algorithm>
#include <utility>

namespace waxwing {
namespace {

constexpr std::string_view kMagic("SQLite format 3\0", 16);
constexpr std::size_t kHeaderOctets = 100;
constexpr std::size_t kLogHeaderOctets = 32;
constexpr std::size_t kFrameHeaderOctets = 24;
constexpr std::uint32_t kLogMagic = 0x377f0682;  // the lowest bit says in which order checksums read words
constexpr std::uint32_t kMaxPages = 1U << 28;    // a terabyte of pages of 4 KiB
constexpr std::uint32_t kPointerOctets = 5;
constexpr std::uint32_t kPointerKinds = 5;  // from 1
constexpr std::uint32_t kPointerRoot = 1;
constexpr std::uint32_t kPointerTree = 5;

bool is_page_size(std::uint32_t octets) {
  return octets >= 512 && octets <= 65'536 && (octets & (octets - 1)) == 0;
}

std::uint32_t little_endian(std::string_view octets, std::size_t at) {
  const std::uint32_t number = big_endian(octets, at, 4);
  return number >> 24 | (number >> 8 & 0xff00) | (number << 8 & 0xff0000) | number << 24;
}

// §4.4; over multiples of 8 octets.
class LogChecksum {
 public:
  explicit LogChecksum(bool big_endian_words) : big_endian_words_(big_endian_words) {}
  void add(std::string_view octets) {
    for (std::size_t i = 0; i + 8 <= octets.size(); i += 8) {
      first_ += word(octets, i) + second_;
      second_ += word(octets, i + 4) + first_;
    }
  }
  [[nodiscard]] bool is_at(std::string_view octets, std::size_t at) const {
    return big_endian(octets, at, 4) == first_ && big_endian(octets, at + 4, 4) == second_;
  }

 private:
  [[nodiscard]] std::uint32_t word(std::string_view octets, std::size_t at) const {
    return big_endian_words_ ? big_endian(octets, at, 4) : little_endian(octets, at);
  }
  bool big_endian_words_;
  std::uint32_t first_ = 0;
  std::uint32_t second_ = 0;
};

}  // namespace

std::uint32_t big_endian(std::string_view octets, std::size_t at, std::size_t count) {
  if (at + count > octets.size()) return 0;
  std::uint32_t number = 0;
  for (std::size_t i = 0; i < count; ++i) number = number << 8 | static_cast<unsigned char>(octets[at + i]);
  return number;
}

SqlitePages::SqlitePages(File database, File log) : database_(std::move(database)), log_(std::move(log)) {
  const std::string first = database_.read(0, kHeaderOctets);
  std::uint32_t octets = big_endian(first, 16, 2);
  if (octets == 1) octets = 65'536;
  if (first.starts_with(kMagic) && is_page_size(octets)) page_octets_ = octets;
  page_count_ = static_cast<std::uint32_t>(std::min<std::uint64_t>(database_.octets / page_octets_, kMaxPages));
  usable_octets_ = page_octets_;
  read_log();
  read_header();
}

// What was committed counts, up to the first frame that is not whole.
void SqlitePages::read_log() {
  const std::string header = log_.read(0, kLogHeaderOctets);
  const std::uint32_t magic = big_endian(header, 0, 4);
  if (header.size() < kLogHeaderOctets || (magic & ~1U) != kLogMagic || big_endian(header, 8, 4) != page_octets_)
    return;
  LogChecksum checksum((magic & 1) != 0);
  checksum.add(std::string_view(header).substr(0, 24));
  if (!checksum.is_at(header, 24)) return;
  std::map<std::uint32_t, std::uint64_t> uncommitted;
  for (std::uint64_t at = kLogHeaderOctets; at + kFrameHeaderOctets + page_octets_ <= log_.octets;
       at += kFrameHeaderOctets + page_octets_) {
    const std::string frame = log_.read(at, kFrameHeaderOctets + page_octets_);
    if (frame.size() < kFrameHeaderOctets + page_octets_ || frame.compare(8, 8, header, 16, 8) != 0) return;
    checksum.add(std::string_view(frame).substr(0, 8));
    checksum.add(std::string_view(frame).substr(kFrameHeaderOctets));
    const std::uint32_t number = big_endian(frame, 0, 4);
    if (!checksum.is_at(frame, 16) || number == 0 || number > kMaxPages) return;
    uncommitted[number] = at + kFrameHeaderOctets;
    const std::uint32_t pages_after_commit = big_endian(frame, 4, 4);
    if (pages_after_commit == 0) continue;
    for (const auto& [page, where] : uncommitted) in_log_[page] = where;
    uncommitted.clear();
    page_count_ = std::max(page_count_, std::min(pages_after_commit, kMaxPages));
  }
}

void SqlitePages::read_header() {
  const std::string first = page(1);
  if (!first.starts_with(kMagic)) {
    free_list_damaged_ = true;
    return;
  }
  const std::uint32_t reserved = big_endian(first, 20, 1);
  if (reserved < page_octets_ - 480) usable_octets_ = page_octets_ - reserved;
  user_version_ = big_endian(first, 60, 4);
  has_pointer_map_ = big_endian(first, 52, 4) != 0;
  read_free_list(big_endian(first, 32, 4), big_endian(first, 36, 4));
}

// A trunk that names what cannot be is no trunk, and what is behind it is not found.
void SqlitePages::read_free_list(std::uint32_t first, std::uint32_t count) {
  std::uint32_t trunk = first;
  while (trunk != 0) {
    const std::string page = this->page(trunk);
    const std::uint32_t leaves = big_endian(page, 4, 4);
    bool sound = trunk > 1 && !page.empty() && leaves <= usable_octets_ / 4 - 2 && !free_.contains(trunk);
    std::set<std::uint32_t> named;
    for (std::uint32_t i = 0; sound && i < leaves; ++i) {
      const std::uint32_t leaf = big_endian(page, 8 + 4ULL * i, 4);
      sound = leaf > 1 && leaf <= page_count_ && leaf != trunk && !free_.contains(leaf) && named.insert(leaf).second;
    }
    if (!sound) {
      free_list_damaged_ = true;
      return;
    }
    free_.insert(trunk);
    free_.merge(named);
    trunk = big_endian(page, 0, 4);
  }
  free_list_damaged_ = free_.size() != count;
}

std::string SqlitePages::page(std::uint32_t number) const {
  if (number == 0 || number > page_count_) return {};
  const auto logged = in_log_.find(number);
  std::string octets = logged != in_log_.end() ? log_.read(logged->second, page_octets_)
                                               : database_.read(std::uint64_t{number - 1} * page_octets_, page_octets_);
  return octets.size() == page_octets_ ? octets : std::string();
}

// §1.8: the first is page 2, and each is followed by as many as it has pointers.
bool SqlitePages::is_pointer_map(std::uint32_t number) const {
  if (!has_pointer_map_ || number < 2) return false;
  return (number - 2) % (usable_octets_ / kPointerOctets + 1) == 0;
}

bool SqlitePages::is_said_to_be_used(std::uint32_t number) const {
  if (!has_pointer_map_ || number < 3) return number == 1;
  const std::uint32_t each = usable_octets_ / kPointerOctets + 1;
  const std::uint32_t index = (number - 2) % each;
  if (index == 0) return false;
  const std::uint32_t first = number - index;
  const std::string map = page(first);
  for (std::uint32_t i = 0; i < each - 1 && first + 1 + i <= page_count_; ++i)
    if (big_endian(map, i * kPointerOctets, 1) - 1 >= kPointerKinds) return false;  // it is damaged
  const std::uint32_t kind = big_endian(map, (index - 1) * kPointerOctets, 1);
  return kind == kPointerRoot || kind == kPointerTree;
}

}  // namespace waxwing
