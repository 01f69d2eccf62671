package area

import (
	"fmt"
	"math/rand/v2"
	"slices"
	"strings"
	"testing"

	"github.com/nyaruka/phonenumbers"
	"github.com/stretchr/testify/require"

	"axgate/routing"
)

func TestOf(t *testing.T) {
	for code, want := range map[string][4]string{
		"010":  {"北京市", "Beijing", "北京市", "Beijing"},
		"023":  {"重庆市", "Chongqing", "重庆市", "Chongqing"},
		"029":  {"西安市、咸阳市", "Xi'an/Xianyang", "陕西省", "Shaanxi"},
		"024":  {"沈阳市、铁岭市、抚顺市", "Shenyang/Tieling/Fushun", "辽宁省", "Liaoning"},
		"0731": {"长沙市、株洲市、湘潭市", "Changsha/Zhuzhou/Xiangtan", "湖南省", "Hunan"},
		"0755": {"深圳市", "Shenzhen", "广东省", "Guangdong"},
		"0898": {"海口市、三亚市、三沙市、儋州市", "Haikou/Sanya/Sansha/Danzhou", "海南省", "Hainan"},
		"0691": {"西双版纳傣族自治州", "Xishuangbanna", "云南省", "Yunnan"},
		"0483": {"阿拉善盟", "Alxa", "内蒙古自治区", "Inner Mongolia"},
		"0413": {"抚顺市", "Fushun", "辽宁省", "Liaoning"},
	} {
		city, province, ok := Of(code)
		require.True(t, ok, code)
		require.Equal(t, want, [4]string{city.Chinese, city.English, province.Chinese, province.English})
	}
	for _, code := range []string{"", "0", "01", "10", "755", "0010", "00755", "07555", "0026", "026", "075x", "+755", "0-1", "0852 ", "0999999999",
		"852", "00852", "853", "00853", "886", "00886"} {
		_, _, ok := Of(code)
		require.False(t, ok, code)
	}
}

func TestSameProvince(t *testing.T) {
	require.True(t, SameProvince("020", "0755"))
	require.True(t, SameProvince("0755", "0755"))
	require.False(t, SameProvince("010", "0755"))
	require.False(t, SameProvince("0312", "010"), "Hebei is not Beijing")
	require.False(t, SameProvince("0999", "09"))
	require.False(t, SameProvince("", ""))
}

// TestTable: the file is in order, and each province has its codes.
func TestTable(t *testing.T) {
	lines := strings.Split(strings.TrimSuffix(codes, "\n"), "\n")
	require.Len(t, rows, len(lines)-1)
	require.True(t, slices.IsSortedFunc(rows, func(a, b row) int { return strings.Compare(a.code, b.code) }))
	english, chinese, count := map[string]string{}, map[string]string{}, map[string]int{}
	for _, r := range rows {
		require.Same(t, find(r.code), at(value(r.code[1:])))
		require.Equal(t, r.code, find(r.code).code, "no code twice")
		require.NotNil(t, find(r.now))
		require.Equal(t, r.now, find(r.now).now, "what took over is in use")
		require.Equal(t, r.province, find(r.now).province)
		require.Len(t, strings.Split(r.city.English, "/"), strings.Count(r.city.Chinese, "、")+1, r.code)
		if is, known := english[r.province.Chinese]; known {
			require.Equal(t, is, r.province.English)
		}
		if is, known := chinese[r.province.English]; known {
			require.Equal(t, is, r.province.Chinese)
		}
		english[r.province.Chinese], chinese[r.province.English] = r.province.English, r.province.Chinese
		if r.now == r.code {
			count[r.province.English]++
		}
	}
	require.Equal(t, map[string]int{
		"Beijing": 1, "Tianjin": 1, "Shanghai": 1, "Chongqing": 1, "Hebei": 11, "Shanxi": 11, "Inner Mongolia": 12, "Liaoning": 12, "Jilin": 9,
		"Heilongjiang": 13, "Jiangsu": 13, "Zhejiang": 11, "Anhui": 15, "Fujian": 9, "Jiangxi": 11, "Shandong": 16, "Henan": 16, "Hubei": 14,
		"Hunan": 12, "Guangdong": 21, "Guangxi": 10, "Hainan": 1, "Sichuan": 19, "Guizhou": 7, "Yunnan": 16, "Tibet": 7, "Shaanxi": 9, "Gansu": 12,
		"Qinghai": 9, "Ningxia": 5, "Xinjiang": 16,
	}, count, "31 provinces, without Hong Kong, Macao and Taiwan")
}

// old is what the library's number plan has beside the table.
var old = map[string]string{
	"0807": "villages of Nagqu that have 0896 today",
	"0978": "nobody's: the geocoding data names no place",
}

// TestEveryCode: the codes are those under which libphonenumber finds fixed
// lines, and each is in the province that it names.
func TestEveryCode(t *testing.T) {
	found := map[string]bool{}
	for digits := range 1000 {
		code := fmt.Sprintf("0%d", digits)
		place, ok := fixedLine(digits)
		if !ok {
			require.Nil(t, find(code), code)
			continue
		}
		found[code] = true
		if _, gone := old[code]; gone {
			require.Nil(t, find(code), code)
			continue
		}
		r := find(code)
		require.NotNil(t, r, "%s %s is missing", code, place)
		require.True(t, strings.HasPrefix(place, bare(r.province.Chinese)), "%s: %s is not in %s", code, place, r.province.Chinese)
		require.NotRegexp(t, "香港|澳门|台湾", place)
	}
	require.Len(t, found, len(rows)+len(old))
}

// fixedLine is where the library places numbers of an area code, if it has
// numbers of it.
func fixedLine(digits int) (place string, ok bool) {
	if digits != 10 && (digits < 20 || digits > 29) && digits < 300 { // 1xx are services, and 1xxxxxxxxxx mobile numbers
		return "", false
	}
	for _, local := range []uint64{1e7, 1e8} {
		for first := uint64(20); first < 90; first++ { // how a local number begins
			country, national := int32(86), uint64(digits)*local+first*local/100
			n := &phonenumbers.PhoneNumber{CountryCode: &country, NationalNumber: &national}
			if phonenumbers.GetNumberType(n) == phonenumbers.FIXED_LINE {
				place, err := phonenumbers.GetGeocodingForNumber(n, "zh")
				return place, err == nil
			}
		}
	}
	return "", false
}

func TestNames(t *testing.T) {
	for _, c := range []struct{ code, city, province, wantCity, wantProvince string }{
		{"0755", "", "", "Shenzhen", "Guangdong"},
		{"0755", "深圳", "广东", "Shenzhen", "Guangdong"},
		{"0755", "深圳市", "广东省", "Shenzhen", "Guangdong"},
		{"0755", "SHENZHEN", "guangdong", "Shenzhen", "Guangdong"},
		{"029", "", "陕西省", "Xi'an/Xianyang", "Shaanxi"},
		{"029", "xian", "", "Xi'an", "Shaanxi"},
		{"029", "咸阳", "", "Xianyang", "Shaanxi"},
		{"0471", "", "内蒙古", "Hohhot", "Inner Mongolia"},
		{"0771", "", "广西壮族自治区", "Nanning/Chongzuo", "Guangxi"},
		{"0512", "Kunshan", "", "Kunshan", "Jiangsu"}, // a town of Suzhou
		{"0434", "Siping", "Jilin", "Siping", "Jilin"},
		{"09000", "Somewhere", "Else", "Somewhere", "Else"},
		{"", "Shenzhen", "Hunan", "Shenzhen", "Hunan"},
	} {
		city, province, wrong := Names(c.code, c.city, c.province)
		require.Nil(t, wrong, "%v", c)
		require.Equal(t, [2]string{c.wantCity, c.wantProvince}, [2]string{city, province}, "%v", c)
	}
	for _, c := range []struct{ code, city, province, field, right string }{
		{"0755", "", "Hunan", "province", "Guangdong"},
		{"0755", "", "Guang", "province", "Guangdong"},
		{"0755", "Guangzhou", "Guangdong", "city", "Shenzhen"},
		{"0755", "咸阳", "", "city", "Shenzhen"},
	} {
		_, _, wrong := Names(c.code, c.city, c.province)
		require.Equal(t, &Contradiction{Field: c.field, Right: c.right}, wrong, "%v", c)
	}
}

func TestHome(t *testing.T) {
	for number, want := range map[routing.Number]string{
		"+8613800000001":     "010",
		"+8613510000000":     "0755",
		"+8618916000000":     "021",
		"+8675528000001":     "0755",
		"+861062345678":      "010",
		"+86106234567":       "010",
		"+862088888888":      "020",
		"+8689888888888":     "0898",
		"+86413" + "2345678": "024", // Fushun gave up its code
		"+86978" + "2345678": "",
		"+86755280000":       "",
		"+86755280000011":    "",
		"+862688888888":      "",
		"+8617100000001":     "", // no segment of 171 is in the data
		"+8619900000001":     "",
		"+8612345678901":     "",
		"+864008001234":      "",
		"+8695588":           "",
		"+86700123456789012": "",
		"+85223456789":       "",
		"+85366123456":       "",
		"+886912345678":      "",
		"13800000001":        "",
		"+86":                "",
		"+861":               "",
		"":                   "",
		"+86138000x0001":     "",
		"+8613८00000001":     "",
	} {
		code, ok := Home(number)
		require.Equal(t, want, code, string(number))
		require.Equal(t, want != "", ok)
	}
}

// TestHomes: mobile segments are at home where the library says: each thirteenth,
// from another one each time.
func TestHomes(t *testing.T) {
	const step = 13
	known := 0
	for segment := 1300000 + rand.IntN(step); segment <= 1999999; segment += step {
		country, national := int32(86), uint64(segment)*10_000+4321
		place, err := phonenumbers.GetGeocodingForNumber(&phonenumbers.PhoneNumber{CountryCode: &country, NationalNumber: &national}, "zh")
		if err != nil {
			t.Fatal(err)
		}
		code, ok := Home(routing.Number(fmt.Sprintf("+86%d4321", segment)))
		if !ok {
			if place != "中国" {
				t.Fatalf("%d has no home, but is of %s", segment, place)
			}
			continue
		}
		known++
		_, province, _ := Of(code)
		if !strings.HasPrefix(place, bare(province.Chinese)) || !(renamed[place] == code || inCity(code, place)) {
			t.Fatalf("%d is of %s, not of %s", segment, place, code)
		}
	}
	require.Greater(t, known, 300_000/step)
}

// renamed are places of the library whose names are of the past.
var renamed = map[string]string{"湖北省襄樊市": "0710", "山东省莱芜市": "0531"}

func inCity(code, place string) bool {
	city, _, _ := Of(code)
	for name := range strings.SplitSeq(city.Chinese, "、") {
		if strings.HasSuffix(bare(place), bare(name)) {
			return true
		}
	}
	return false
}

func TestNoAllocation(t *testing.T) {
	require.Zero(t, testing.AllocsPerRun(100, func() {
		Home("+8613912345678")
		Home("+8675528000001")
		Of("0755")
		SameProvince("0755", "020")
	}))
}

func BenchmarkHomeMobile(b *testing.B) {
	numbers := make([]routing.Number, 1024)
	for i := range numbers {
		numbers[i] = routing.Number(fmt.Sprintf("+861%010d", 3000000000+int64(i)*5_866_667))
	}
	b.ReportAllocs()
	for i := 0; b.Loop(); i++ {
		Home(numbers[i&1023])
	}
}

func BenchmarkHomeFixed(b *testing.B) {
	b.ReportAllocs()
	for b.Loop() {
		Home("+8675528000001")
	}
}

func BenchmarkOf(b *testing.B) {
	b.ReportAllocs()
	for b.Loop() {
		Of("0755")
	}
}

// BenchmarkLibrary is the same question to the library.
func BenchmarkLibrary(b *testing.B) {
	country, national := int32(86), uint64(13912345678)
	n := &phonenumbers.PhoneNumber{CountryCode: &country, NationalNumber: &national}
	b.ReportAllocs()
	for b.Loop() {
		if _, err := phonenumbers.GetGeocodingForNumber(n, "zh"); err != nil {
			b.Fatal(err)
		}
	}
}
