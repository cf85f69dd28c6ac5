#include "relay/daemon/gzip.h"

#include <zlib.h>

namespace waxwing {
namespace {

constexpr int kWindowBitsOfGzip = 15 + 16;  // the largest window, with the header of gzip
constexpr int kMemoryLevel = 8;

}  // namespace

Result<std::string> gzip(std::string_view octets) {
  z_stream stream{};
  if (::deflateInit2(&stream, Z_BEST_COMPRESSION, Z_DEFLATED, kWindowBitsOfGzip, kMemoryLevel, Z_DEFAULT_STRATEGY) !=
      Z_OK) {
    return fail(ErrorKind::Exhausted, "no memory to compress a report");
  }
  std::string compressed(::deflateBound(&stream, octets.size()), '\0');
  // zlib does not write to its input, but says so only when it is built with ZLIB_CONST.
  stream.next_in = reinterpret_cast<Bytef*>(const_cast<char*>(octets.data()));
  stream.avail_in = static_cast<uInt>(octets.size());
  stream.next_out = reinterpret_cast<Bytef*>(compressed.data());
  stream.avail_out = static_cast<uInt>(compressed.size());
  const int result = ::deflate(&stream, Z_FINISH);
  compressed.resize(stream.total_out);
  ::deflateEnd(&stream);
  if (result != Z_STREAM_END) return fail(ErrorKind::Exhausted, "a report could not be compressed");
  return compressed;
}

}  // namespace waxwing
