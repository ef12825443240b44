// volume.cpp: the volume control of examples/c in C++. Handlers are lambdas, handles close themselves. docs/c-api.md builds it.
#include <array>
#include <cstdio>
#include <cstdlib>
#include <cstring>
#include <functional>
#include <stdexcept>
#include <string>
#include <utility>
#include <vector>

#include <ksdispatch.h>

namespace ks {

using Guid = std::array<std::uint8_t, 16>;
using Handler = std::function<ksd_status(ksd_call &)>;

// Item is a property whose handlers are C++. It must stay where it is while its object is in use.
struct Item {
	std::uint32_t id;
	Handler get, set;
};

// An exception must not cross the library: it is STATUS_UNSUCCESSFUL.
template <Handler Item::*verb>
ksd_status call(ksd_call *call) noexcept
try {
	return (static_cast<Item *>(call->context)->*verb)(*call);
} catch (...) {
	return KSD_UNSUCCESSFUL;
}

class Object {
public:
	Object(const Guid &guid, std::vector<Item> &items)
	{
		std::vector<ksd_item> declared;
		for (Item &item : items) {
			ksd_item i{};
			i.size = sizeof i;
			i.id = item.id;
			i.min_data = 4;
			i.get = item.get ? call<&Item::get> : nullptr;
			i.set = item.set ? call<&Item::set> : nullptr;
			i.context = &item;
			declared.push_back(i);
		}
		ksd_set set{};
		std::memcpy(set.guid, guid.data(), guid.size());
		set.items = declared.data();
		set.count = static_cast<std::uint32_t>(declared.size());
		set.item_size = sizeof(ksd_item);
		char err[256];
		if (!(object = ksd_object_new(&set, 1, err, sizeof err)))
			throw std::runtime_error(err);
	}
	~Object() { ksd_object_free(object); }
	Object(const Object &) = delete;
	Object &operator=(const Object &) = delete;

	ksd_object object;
};

class Handle {
public:
	explicit Handle(const Object &o) : handle(ksd_open(o.object, nullptr, 0)) {}
	~Handle() { ksd_close(handle); }
	Handle(const Handle &) = delete;
	Handle &operator=(const Handle &) = delete;

	// property gets a value, or sets it.
	template <typename T>
	ksd_status property(const Guid &set, std::uint32_t id, std::uint32_t verb, T &value)
	{
		std::uint8_t request[24]; // KSPROPERTY
		std::memcpy(request, set.data(), 16);
		std::memcpy(request + 16, &id, 4);
		std::memcpy(request + 20, &verb, 4);
		return ksd_ioctl(handle, KSD_IOCTL_PROPERTY, request, sizeof request, &value, sizeof value, nullptr);
	}

private:
	ksd_handle handle;
};

} // namespace ks

int main(int argc, char **argv)
{
	// KSPROPSETID_Audio, and KSPROPERTY_AUDIO_VOLUMELEVEL in units of 1/65536 dB
	const ks::Guid audio{0xa0, 0xaa, 0xff, 0x45, 0x1b, 0x6e, 0xd0, 0x11, 0xbc, 0xf2, 0x44, 0x45, 0x53, 0x54, 0x00, 0x00};
	const std::uint32_t volume_level = 4;

	std::int32_t level = 0;
	std::vector<ks::Item> items{{volume_level,
		[&](ksd_call &c) {
			std::memcpy(c.data, &level, sizeof level);
			c.information = sizeof level;
			return KSD_SUCCESS;
		},
		[&](ksd_call &c) {
			std::int32_t value;
			std::memcpy(&value, c.data, sizeof value);
			if (value > 0 || value < -96 * 65536)
				return KSD_INVALID_PARAMETER;
			level = value;
			return KSD_SUCCESS;
		}}};
	ks::Object control(audio, items);
	ks::Handle handle(control);
	for (int i = 1; i < argc; i++) {
		std::int32_t value = static_cast<std::int32_t>(std::strtod(argv[i], nullptr) * 65536);
		ksd_status status = handle.property(audio, volume_level, KSD_SET, value);
		handle.property(audio, volume_level, KSD_GET, value);
		std::printf("%s dB: %s; the level is %.2f dB\n", argv[i], ksd_status_name(status), value / 65536.0);
	}
}
